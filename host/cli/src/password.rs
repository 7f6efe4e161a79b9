//! Asks for the password of a key.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use seed_engine::Passwords;
use seed_report::visible;

use crate::printer::Printer;

/// The terminal's mode from before its input was hidden, while it is.
static VISIBLE: Mutex<Option<Termios>> = Mutex::new(None);

/// Asks the person at the terminal; in scripts and in CI there is none.
#[derive(Debug)]
pub(crate) struct Prompt {
    printer: Arc<Printer>,
}

impl Prompt {
    /// A prompt that shares the terminal with `printer`.
    pub(crate) fn new(printer: Arc<Printer>) -> Self {
        Self { printer }
    }
}

impl Passwords for Prompt {
    fn password(&self, name: &str, file: &Path) -> Option<String> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let question = visible::line(&format!("Password of the key `{name}` ({}): ", file.display()));
        // Not `suspend`, which would make a signal's report wait for the answer.
        self.printer.end_progress();
        let answer = ask(&question);
        show_input();
        self.printer.resume_progress();
        answer.ok()
    }
}

/// Shows what is typed again, if it was hidden. Also called when a signal ends the process in between: a terminal that
/// stays blind would be a nuisance.
pub(crate) fn show_input() {
    let visible = VISIBLE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let (Some(visible), Ok(terminal)) = (visible, File::open("/dev/tty")) {
        // The terminal is gone where this fails.
        let _ = tcsetattr(&terminal, SetArg::TCSANOW, &visible);
    }
}

/// Reads one line without showing it.
#[expect(clippy::disallowed_methods, reason = "reads and writes the terminal, no file")]
fn ask(question: &str) -> io::Result<String> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    (&terminal).write_all(question.as_bytes())?;
    let visible = tcgetattr(&terminal)?;
    let mut hidden = visible.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    hidden.local_flags.insert(LocalFlags::ECHONL);
    *VISIBLE.lock().unwrap_or_else(PoisonError::into_inner) = Some(visible);
    // What was typed before the question is no answer.
    tcsetattr(&terminal, SetArg::TCSAFLUSH, &hidden)?;
    let mut line = String::new();
    if BufReader::new(&terminal).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
