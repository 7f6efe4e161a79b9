//! Runs one Nix program: fixed locale, bounded output, log lines as events.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::{ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{Running, each_line};
use crate::error::NixError;
use crate::events::Observer;
use crate::log_reader::LogReader;
use crate::text::shorten;

/// Milliseconds to wait before a program is started again that met another one while it opened Nix's database: 1.6 s
/// in all.
const WAITS: [u64; 6] = [25, 50, 100, 200, 400, 800];

/// A program to run.
pub(crate) struct Command {
    process: std::process::Command,
    /// For messages: program and arguments, shortened.
    shown: String,
    limit: u64,
    time: Option<Duration>,
}

/// Writes what a program reads from its standard input.
type Input<'a> = &'a (dyn Fn(&mut ChildStdin) -> io::Result<()> + Sync);

/// What a program did.
pub(crate) struct Outcome {
    pub(crate) command: String,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) log: LogReader,
}

impl Command {
    /// A program without arguments that may write `limit` bytes to its standard output.
    pub(crate) fn new(mut process: std::process::Command, limit: u64) -> Self {
        process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Messages are read by this program: always in English.
        process.env("LC_ALL", "C").env_remove("LANGUAGE");
        let program = Path::new(process.get_program());
        let shown = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        Self { process, shown, limit, time: None }
    }

    /// Arguments that messages show.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        for argument in args {
            self.shown.push(' ');
            self.shown.push_str(&argument.as_ref().to_string_lossy());
            self.process.arg(argument);
        }
        self
    }

    /// Arguments that would only make messages long.
    pub(crate) fn quiet_args<S: Into<OsString>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        for argument in args {
            self.process.arg(argument.into());
        }
        self
    }

    /// The directory to run in; empty for the current one, as `Path::parent` of a file name gives it.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        if !dir.as_os_str().is_empty() {
            self.process.current_dir(dir);
        }
        self
    }

    /// Ends the program after this time, which is an error.
    pub(crate) const fn within(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Runs the program to its end. A program that fails is an [`Outcome`] too.
    ///
    /// Nix waits for others that use its database, but not while it opens it: then it fails at once, with nothing done.
    pub(crate) fn run(self, observer: &dyn Observer) -> Result<Outcome, NixError> {
        self.run_until_done(None, observer)
    }

    /// The same, with what `input` writes as standard input. It is called once for each start of the program.
    pub(crate) fn run_with(mut self, input: Input<'_>, observer: &dyn Observer) -> Result<Outcome, NixError> {
        self.process.stdin(Stdio::piped());
        self.run_until_done(Some(input), observer)
    }

    fn run_until_done(
        mut self,
        input: Option<Input<'_>>,
        observer: &dyn Observer,
    ) -> Result<Outcome, NixError> {
        for wait in WAITS {
            let outcome = self.run_once(input, observer)?;
            if outcome.status.success() || !is_in_use(&outcome.message()) {
                return Ok(outcome);
            }
            thread::sleep(Duration::from_millis(wait));
        }
        self.run_once(input, observer)
    }

    #[expect(clippy::disallowed_methods, reason = "measures how long it takes, for traces only")]
    fn run_once(&mut self, input: Option<Input<'_>>, observer: &dyn Observer) -> Result<Outcome, NixError> {
        let command = shorten(&self.shown);
        let error = |source| NixError::Run { command: command.clone(), source };
        let start = Instant::now();
        let mut process = self.process.spawn().map_err(error)?;
        let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let child = Running::new(process);
        let (limit, time) = (self.limit, self.time);
        let mut log = LogReader::default();

        let read_stdout = move || {
            let mut bytes = Vec::new();
            // One byte more than allowed, to know that there is more; closing the pipe then ends the program.
            stdout
                .map_or(Ok(0), |pipe| pipe.take(limit.saturating_add(1)).read_to_end(&mut bytes))
                .map(|_| bytes)
        };
        let write_stdin = move || match (input, stdin) {
            (Some(input), Some(mut stdin)) => input(&mut stdin),
            _ => Ok(()),
        };
        let (stdin, stdout, log_result, status, is_late) = thread::scope(|scope| {
            let (ended, end) = mpsc::channel::<()>();
            let watch = time.map(|time| {
                let child = &child;
                scope.spawn(move || {
                    let is_late = end.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
                    if is_late {
                        child.kill();
                    }
                    is_late
                })
            });
            let writer = scope.spawn(write_stdin);
            let reader = scope.spawn(read_stdout);
            let log_result = stderr
                .map_or(Ok(()), |pipe| each_line(BufReader::new(pipe), |line| log.line(line, observer)));
            let (stdin, stdout) = (writer.join(), reader.join());
            let status = child.wait();
            drop(ended);
            (stdin, stdout, log_result, status, watch.is_some_and(|watch| watch.join().unwrap_or(false)))
        });
        if let Some(time) = time.filter(|_| is_late) {
            return Err(NixError::TooLong { command, limit: time });
        }
        log_result.map_err(error)?;
        match stdin.unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
            // The program says itself why it reads no further.
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => return Err(error(source)),
            _ => {}
        }
        let stdout = stdout.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).map_err(error)?;
        if stdout.len() as u64 > limit {
            return Err(NixError::TooMuchOutput { command, limit });
        }
        let status = status.map_err(error)?;
        tracing::debug!(%command, %status, milliseconds = start.elapsed().as_millis(), "process");
        Ok(Outcome { command, status, stdout, log })
    }
}

impl Outcome {
    /// The standard output, or what went wrong.
    pub(crate) fn success(self) -> Result<Vec<u8>, NixError> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        Err(NixError::Failed { message: self.message(), command: self.command })
    }

    /// What the program said about its failure.
    pub(crate) fn message(&self) -> String {
        match self.log.errors.first() {
            Some(message) => message.clone(),
            None if self.log.other.is_empty() => self.status.to_string(),
            None => self.log.other.iter().cloned().collect::<Vec<_>>().join("\n"),
        }
    }
}

/// Whether a program failed because another one was opening the database, or making the store's directories, at that
/// moment.
fn is_in_use(message: &str) -> bool {
    let is_busy = message.contains("SQLite database '") && message.contains("' is busy");
    let is_being_made = message.contains("creating symlink from '") && message.contains("File exists");
    is_busy || is_being_made
}

#[cfg(test)]
mod tests {
    use seed_process::{Launcher, Program};

    use super::*;
    use crate::events::Event;

    fn quiet(_: &Event) {}

    fn program(path: &str, limit: u64) -> Command {
        Command::new(Launcher::default().command(Program::Nix, path), limit)
    }

    fn shell(script: &str, limit: u64) -> Result<Outcome, NixError> {
        program("/bin/sh", limit).args(["-c", script]).run(&quiet)
    }

    #[test]
    fn output_is_kept_and_bounded() {
        assert_eq!(shell("echo hello", 6).unwrap().success().unwrap(), b"hello\n");
        let error = shell("while :; do echo endless || exit; done", 1000).err().unwrap();
        insta::assert_snapshot!(error, @"`sh -c while :; do echo endless || exit; done` wrote more than 1000 bytes");
    }

    #[test]
    fn a_failure_quotes_what_the_program_wrote() {
        let outcome = shell("echo one >&2; echo two >&2; exit 3", 10).unwrap();
        insta::assert_snapshot!(outcome.success().unwrap_err(), @r"
        `sh -c echo one >&2; echo two >&2; exit 3` failed: one
        two
        ");
        insta::assert_snapshot!(shell("exit 4", 10).unwrap().success().unwrap_err(), @"`sh -c exit 4` failed: exit status: 4");
    }

    #[test]
    fn a_program_that_met_another_one_is_started_again() {
        let dir = tempfile::tempdir().unwrap();
        let script = |message: &str, times: u32| {
            let count = dir.path().join("count");
            std::fs::write(&count, "").unwrap();
            let script = format!(
                "echo >> {0}; [ $(wc -l < {0}) -gt {times} ] && echo done || {{ echo \"{message}\" >&2; exit 1; }}",
                count.display()
            );
            shell(&script, 10).unwrap().success()
        };
        let busy = "error: SQLite database '/nix/var/nix/db/db.sqlite' is busy";
        assert_eq!(script(busy, 2).unwrap(), b"done\n");
        let being_made = "error: creating symlink from '/nix/a' to '/nix/b': File exists";
        assert_eq!(script(being_made, 1).unwrap(), b"done\n");
        script(busy, 100).unwrap_err();
        script("error: something else", 1).unwrap_err();
    }

    #[test]
    fn time_is_bounded_where_that_is_asked_for() {
        let command = |script: &str, millis| {
            program("/bin/sh", 100).args(["-c", script]).within(Duration::from_millis(millis)).run(&quiet)
        };
        assert_eq!(command("echo hello", 60_000).unwrap().success().unwrap(), b"hello\n");
        // A program that computes for ever, and one that also closes its output.
        for script in ["while :; do :; done", "exec >&- 2>&-; while :; do :; done"] {
            let error = command(script, 200).err().unwrap();
            assert!(matches!(error, NixError::TooLong { .. }), "{error}");
        }
        let error = command("while :; do :; done", 200).err().unwrap();
        insta::assert_snapshot!(error, @"`sh -c while :; do :; done` took longer than 200ms");
        assert!(error.help().unwrap().contains("evaluation-time"));
    }

    #[test]
    fn the_directory_may_be_empty() {
        let pwd = |dir: &str| {
            let command = program("/bin/sh", 4096).args(["-c", "pwd"]).dir(Path::new(dir));
            String::from_utf8(command.run(&quiet).unwrap().success().unwrap()).unwrap()
        };
        assert_eq!(pwd("/"), "/\n");
        assert_eq!(Path::new(pwd("").trim()), std::env::current_dir().unwrap());
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = program("/nonexistent/nix", 10).run(&quiet).err().unwrap();
        insta::assert_snapshot!(error, @"cannot run `nix`: No such file or directory (os error 2)");
    }
}
