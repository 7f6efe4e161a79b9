//! Asks for the password of a key.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use console::Term;
use seed_engine::Passwords;

use crate::printer::Printer;

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
        self.printer.bars().suspend(|| {
            let terminal = Term::stderr();
            let question = format!("Password of the key `{name}` ({}): ", file.display());
            terminal.write_str(&question).ok()?;
            terminal.read_secure_line().ok()
        })
    }
}
