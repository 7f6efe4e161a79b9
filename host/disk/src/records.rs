//! Cache records: small JSON files named by the key of what they describe.
//!
//! They are renamed into place but not synced: each carries the digest of its key and content, so a record that a
//! crash, a stray write or a rename has damaged is a cache miss, never a wrong answer.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::cache::CacheDirectory;
use crate::error::DiskError;
use crate::read::bounded_text;

/// The largest record in bytes that is read: the frames of a path of a tebibyte have half of it.
const MAX_SIZE: u64 = 64 << 20;

/// One kind of record, in a directory of its own: the SHA-256 of key and JSON text in hexadecimal, a line break, the JSON
/// text. Cloning it gives another handle to the same directory.
#[derive(Clone, Debug)]
pub struct Records {
    directory: CacheDirectory,
    partial: CacheDirectory,
}

impl Records {
    /// The records in the directory `name` of `cache`. Those that are being written are in `partial`.
    pub fn open(cache: &CacheDirectory, name: &str, partial: &CacheDirectory) -> Result<Self, DiskError> {
        Ok(Self { directory: cache.directory(name)?, partial: partial.clone() })
    }

    /// The record of `key`, a SHA-256, if there is an intact one. A damaged one is removed.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8; 32]) -> Option<T> {
        let file = self.directory.handle().read(&name(key)).ok()?;
        let record = bounded_text(file, MAX_SIZE).ok().and_then(|content| {
            let (sum, json) = content.split_once('\n')?;
            (sum == checksum(key, json)).then(|| serde_json::from_str(json).ok())?
        });
        if record.is_none() {
            self.remove(key);
        }
        record
    }

    /// Writes the record of `key`.
    pub fn put<T: Serialize>(&self, key: &[u8; 32], record: &T) -> Result<(), DiskError> {
        let json = serde_json::to_string(record).expect("records have string keys only");
        let path = self.path(key);
        let mut file = self.partial.partial()?;
        file.write_all(format!("{}\n{json}", checksum(key, &json)).as_bytes())
            .map_err(DiskError::io("write", &path))?;
        file.persist_unsynced(self.directory.handle(), &name(key)).map_err(DiskError::io("write", &path))
    }

    /// Removes the record of `key`, if there is one.
    pub fn remove(&self, key: &[u8; 32]) {
        // What cannot be removed is found to be damaged again.
        let _ = self.directory.handle().unlink(&name(key));
    }

    fn path(&self, key: &[u8; 32]) -> PathBuf {
        self.directory.path().join(name(key))
    }
}

fn name(key: &[u8; 32]) -> OsString {
    hex::encode(key).into()
}

fn checksum(key: &[u8; 32], json: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(key);
    hasher.update(json.as_bytes());
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open() -> (tempfile::TempDir, Records) {
        let directory = tempfile::tempdir().unwrap();
        let cache = CacheDirectory::open(directory.path()).unwrap();
        let records = Records::open(&cache, "frames", &cache.directory("partial").unwrap()).unwrap();
        (directory, records)
    }

    #[test]
    fn what_is_put_is_there_until_it_is_removed() {
        let (directory, records) = open();
        assert_eq!(records.get::<Vec<String>>(&[1; 32]), None);
        records.put(&[1; 32], &["a"]).unwrap();
        records.put(&[1; 32], &["b"]).unwrap();
        assert_eq!(records.get::<Vec<String>>(&[1; 32]).unwrap(), ["b"]);
        records.remove(&[1; 32]);
        assert_eq!(records.get::<Vec<String>>(&[1; 32]), None);
        assert_eq!(fs::read_dir(directory.path().join("partial")).unwrap().count(), 0);
    }

    #[test]
    fn a_record_that_was_renamed_truncated_or_flipped_is_absent_and_removed() {
        let (_directory, records) = open();
        let (key, other) = ([1; 32], [2; 32]);
        records.put(&key, &["base"]).unwrap();
        let whole = fs::read(records.path(&key)).unwrap();
        let absent = |key: &[u8; 32], content: &[u8]| {
            fs::write(records.path(key), content).unwrap();
            assert_eq!(records.get::<Vec<String>>(key), None);
            assert!(!records.path(key).exists());
        };
        absent(&other, &whole);
        for length in 0..whole.len() {
            absent(&key, &whole[..length]);
        }
        for position in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[position] ^= 0x81;
            absent(&key, &flipped);
        }
        records.put(&key, &["base"]).unwrap();
        assert_eq!(records.get::<Vec<String>>(&key).unwrap(), ["base"]);
    }
}
