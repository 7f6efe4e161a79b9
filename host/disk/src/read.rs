//! Reads that end: whatever a file, a pipe or a peer gives, no more than a limit of it gets into memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a file of at most `limit` bytes; a larger one is an error of the kind `FileTooLarge`.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    bounded(File::open(path)?, limit)
}

/// Reads a text file of at most `limit` bytes; one that is not UTF-8 is an error of the kind `InvalidData`.
pub fn read_bounded_text(path: &Path, limit: u64) -> io::Result<String> {
    bounded_text(File::open(path)?, limit)
}

/// Reads to the end, at most `limit` bytes; more is an error of the kind `FileTooLarge`.
pub fn bounded(reader: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let size = reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if size as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Reads a text to the end, at most `limit` bytes.
pub fn bounded_text(reader: impl Read, limit: u64) -> io::Result<String> {
    String::from_utf8(bounded(reader, limit)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_is_read() {
        assert_eq!(bounded(&b"1234"[..], 4).unwrap(), b"1234");
        assert_eq!(bounded(&b"12345"[..], 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(bounded(io::repeat(1), 4).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(bounded_text(&b"\xff"[..], 4).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert_eq!(read_bounded(&path, 4).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_bounded_text(&path, 4).unwrap(), "text");
        assert_eq!(read_bounded(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
