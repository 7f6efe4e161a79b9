//! What a component writes: log messages, standard output and standard error, all bounded.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::capabilities::{LogLevel, Reporter};
use crate::text::printable;

/// How many messages an error carries.
const TAIL: usize = 20;
/// The longest message or line in bytes; the rest of it is dropped.
const MESSAGE: usize = 8 << 10;

/// The log of one call.
#[derive(Debug)]
pub(crate) struct Log {
    reporter: Arc<dyn Reporter>,
    /// Bytes that may still be written.
    left: u64,
    full: bool,
    tail: VecDeque<String>,
    /// What was written to standard output and error since the last line feed.
    line: Vec<u8>,
    panic: Option<String>,
}

impl Log {
    pub(crate) fn new(reporter: Arc<dyn Reporter>, limit: u64) -> Self {
        Self { reporter, left: limit, full: false, tail: VecDeque::new(), line: Vec::new(), panic: None }
    }

    /// One message.
    pub(crate) fn message(&mut self, level: LogLevel, message: &str) {
        if !self.take(message.len()) {
            return;
        }
        let message = printable(message, MESSAGE);
        // Rust's panic message, through the SDK's hook or on standard error.
        if self.panic.is_none()
            && let Some((_, panic)) = message.split_once("panicked at ")
        {
            self.panic = Some(panic.trim_end().replace(":\n", ": "));
        }
        self.reporter.log(level, &message);
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(message);
    }

    /// Bytes on standard output or error; each line is a message at level `info`.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                self.end_line();
            } else if self.line.len() < MESSAGE {
                self.line.push(byte);
            }
        }
    }

    /// The call ended: what is left of a line becomes a message.
    pub(crate) fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    /// The message of the first panic.
    pub(crate) fn panic(&self) -> Option<String> {
        self.panic.clone()
    }

    /// The last messages, oldest first.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        // Rust's standard library writes `panicked at FILE:LINE:COLUMN:`, and the message on the next line.
        if let Some(panic) = self.panic.as_mut().filter(|panic| panic.ends_with(':')) {
            panic.push(' ');
            panic.push_str(&printable(&line, MESSAGE));
        }
        self.message(LogLevel::Info, &line);
    }

    /// Whether `bytes` more may be written; says so once when not.
    fn take(&mut self, bytes: usize) -> bool {
        // Each message costs something, also an empty one.
        match self.left.checked_sub((bytes as u64).saturating_add(16)) {
            Some(left) if !self.full => {
                self.left = left;
                true
            }
            _ => {
                if !self.full {
                    self.full = true;
                    let message = "the log is full: dropping further messages of this call (`log-size` in \
                                   `[limits]`)";
                    self.reporter.log(LogLevel::Warn, message);
                    self.tail.push_back(message.to_owned());
                }
                false
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A reporter that remembers.
    #[derive(Debug, Default)]
    pub(crate) struct Recorder(pub(crate) Mutex<Vec<String>>);

    impl Reporter for Recorder {
        fn log(&self, level: LogLevel, message: &str) {
            self.0.lock().unwrap().push(format!("{level:?} {message}"));
        }

        fn progress_start(&self, label: &str, total: Option<u64>) -> u64 {
            let mut lines = self.0.lock().unwrap();
            lines.push(format!("start {label} {total:?}"));
            lines.len() as u64
        }

        fn progress_advance(&self, task: u64, amount: u64) {
            self.0.lock().unwrap().push(format!("advance {task} {amount}"));
        }

        fn progress_end(&self, task: u64) {
            self.0.lock().unwrap().push(format!("end {task}"));
        }
    }

    #[test]
    fn lines_become_messages_and_a_flood_is_dropped_with_one_notice() {
        let recorder = Arc::new(Recorder::default());
        let mut log = Log::new(recorder.clone(), 90);
        log.write(b"one\ntw");
        log.write(b"o\nlast");
        log.finish();
        for _ in 0..1000 {
            log.message(LogLevel::Error, "flood");
        }
        insta::assert_snapshot!(recorder.0.lock().unwrap().join("\n"), @r"
        Info one
        Info two
        Info last
        Error flood
        Warn the log is full: dropping further messages of this call (`log-size` in `[limits]`)
        ");
        assert_eq!(log.tail().len(), 5);
    }

    #[test]
    fn a_panic_is_found_in_one_message_and_in_two_lines() {
        for text in
            ["thread 'main' panicked at src/lib.rs:3:5:\nbad luck", "panicked at src/lib.rs:3:5:\nbad luck\n"]
        {
            let mut log = Log::new(Arc::new(Recorder::default()), 1000);
            log.message(LogLevel::Error, text);
            assert_eq!(log.panic().unwrap(), "src/lib.rs:3:5: bad luck");
            let mut log = Log::new(Arc::new(Recorder::default()), 1000);
            log.write(text.as_bytes());
            log.finish();
            assert_eq!(log.panic().unwrap(), "src/lib.rs:3:5: bad luck");
        }
    }
}
