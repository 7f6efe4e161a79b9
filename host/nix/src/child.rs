//! A program that runs, and the lines that it writes.

use std::io::{self, BufRead};
use std::process::{Child, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The longest line of a log. The rest of a longer one is skipped.
const MAX_LOG_LINE: usize = 1024 * 1024;

/// A program that runs. It is killed when this is dropped: Nix must not go on when the caller has given up.
pub(crate) struct Running(Mutex<Child>);

impl Running {
    pub(crate) const fn new(child: Child) -> Self {
        Self(Mutex::new(child))
    }

    pub(crate) fn kill(&self) {
        // Fails only if the program has ended and was waited for.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    /// Waits for the end of a program that has closed its output, which is near, without keeping others from killing it.
    pub(crate) fn wait(&self) -> io::Result<ExitStatus> {
        let mut pause = Duration::from_micros(100);
        loop {
            let ended = self.0.lock().unwrap_or_else(PoisonError::into_inner).try_wait()?;
            if let Some(status) = ended {
                return Ok(status);
            }
            thread::sleep(pause);
            pause = pause.saturating_mul(2).min(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
        let _ = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

/// Calls `f` with each line without its end, cut at [`MAX_LOG_LINE`].
pub(crate) fn each_line(mut reader: impl BufRead, mut f: impl FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        let available = reader.fill_buf()?;
        if available.is_empty() {
            if !line.is_empty() {
                f(&line);
            }
            return Ok(());
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        line.extend_from_slice(&part[..part.len().min(MAX_LOG_LINE.saturating_sub(line.len()))]);
        let used = end.map_or(available.len(), |end| end.saturating_add(1));
        reader.consume(used);
        if end.is_some() {
            f(&line);
            line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_the_last_needs_no_end() {
        let mut text = vec![b'x'; MAX_LOG_LINE + 10];
        text.extend_from_slice(b"\nshort\n\nend");
        let mut lengths = Vec::new();
        each_line(&text[..], |line| lengths.push(line.len())).unwrap();
        assert_eq!(lengths, [MAX_LOG_LINE, 5, 0, 3]);
    }
}
