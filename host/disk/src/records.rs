//! Cache records: small JSON files named by the key of what they describe.
//!
//! They are renamed into place but not synced: each carries a code over its kind, key and content under the cache's key. So
//! a record that a crash, a stray write or a rename has damaged, or that somebody else wrote, is a cache miss, never a wrong
//! answer.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::authenticator::Authenticator;
use crate::cache::CacheDirectory;
use crate::error::DiskError;
use crate::read::bounded_text;

/// The largest record in bytes that is read: the frames of a path of a tebibyte have half of it.
const MAX_SIZE: u64 = 64 << 20;

/// What codes of records begin with.
const MAGIC: &[u8] = b"seed-record-1\0";

/// One kind of record, in a directory of its own: the code in hexadecimal, a line break, the JSON text. Cloning it gives
/// another handle to the same directory.
#[derive(Clone, Debug)]
pub struct Records {
    directory: CacheDirectory,
    partial: CacheDirectory,
    authenticator: Authenticator,
    /// The directory's name, and a zero byte.
    kind: Vec<u8>,
}

impl Records {
    /// The records in the directory `name` of `cache`. Those that are being written are in `partial`.
    pub fn open(cache: &CacheDirectory, name: &str, partial: &CacheDirectory) -> Result<Self, DiskError> {
        Ok(Self {
            directory: cache.directory(name)?,
            partial: partial.clone(),
            authenticator: cache.authenticator()?,
            kind: [name.as_bytes(), &[0]].concat(),
        })
    }

    /// The record of `key`, a SHA-256, if there is an intact one. A damaged one is removed.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8; 32]) -> Option<T> {
        let file = self.directory.handle().read(&name(key)).ok()?;
        let record = bounded_text(file, MAX_SIZE).ok().and_then(|content| {
            let (code, json) = content.split_once('\n')?;
            let is_ours = self.authenticator.verify(self.parts(key, json), &hex::decode(code).ok()?);
            is_ours.then(|| serde_json::from_str(json).ok())?
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
        let code = hex::encode(self.authenticator.code(self.parts(key, &json)));
        file.write_all(format!("{code}\n{json}").as_bytes()).map_err(DiskError::io("write", &path))?;
        file.persist_unsynced(self.directory.handle(), &name(key)).map_err(DiskError::io("write", &path))
    }

    /// Removes the record of `key`, if there is one.
    pub fn remove(&self, key: &[u8; 32]) {
        // What cannot be removed is found to be damaged again.
        let _ = self.directory.handle().unlink(&name(key));
    }

    fn parts<'a>(&'a self, key: &'a [u8; 32], json: &'a str) -> [&'a [u8]; 4] {
        [MAGIC, &self.kind, key, json.as_bytes()]
    }

    fn path(&self, key: &[u8; 32]) -> PathBuf {
        self.directory.path().join(name(key))
    }
}

fn name(key: &[u8; 32]) -> OsString {
    hex::encode(key).into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sha2::Digest as _;

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
            // Not the bit by which letters differ in case: hexadecimal means the same in both.
            flipped[position] ^= 0x81;
            absent(&key, &flipped);
        }
        records.put(&key, &["base"]).unwrap();
        assert_eq!(records.get::<Vec<String>>(&key).unwrap(), ["base"]);
    }

    #[test]
    fn a_record_of_another_cache_or_kind_or_without_a_code_is_absent() {
        let ((_one, own), (_other, foreign)) = (open(), open());
        let key = [1; 32];
        let absent = |content: &[u8]| {
            fs::write(own.path(&key), content).unwrap();
            assert_eq!(own.get::<Vec<String>>(&key), None);
        };
        foreign.put(&key, &["forged"]).unwrap();
        absent(&fs::read(foreign.path(&key)).unwrap());
        let json = r#"["forged"]"#;
        let digest = sha2::Sha256::digest([&key, json.as_bytes()].concat());
        absent(format!("{}\n{json}", hex::encode(digest)).as_bytes());
        let layers = Records::open(&own.directory.root().clone(), "layers", &own.partial).unwrap();
        layers.put(&key, &["a layer"]).unwrap();
        absent(&fs::read(layers.path(&key)).unwrap());
        layers.put(&key, &["a layer"]).unwrap();
        assert_eq!(layers.get::<Vec<String>>(&key).unwrap(), ["a layer"]);
    }
}
