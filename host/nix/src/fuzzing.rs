//! Readers of foreign bytes, for the fuzz targets in `tests/fuzz`. Not an interface: it changes with them.

use crate::child::each_line;
use crate::log_reader::LogReader;

/// Reads what Nix reports while it works.
pub fn log(bytes: &[u8]) {
    let mut log = LogReader::default();
    let _ = each_line(bytes, |line| log.line(line, &|_: &_| {}));
}
