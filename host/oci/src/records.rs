//! Cache records: small JSON files named by the key of what they describe.
//!
//! They are renamed into place but not synced: each carries the digest of its key and content, so a record that a
//! crash or a stray write has damaged is a cache miss, never a wrong answer.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use seed_model::{Digest, Hasher};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{BlobStore, StoreError, make_directory};

/// One kind of record, in one directory of the store.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    store: BlobStore,
    directory: PathBuf,
}

impl Records {
    /// The records in the directory `name` of the store.
    pub(crate) fn open(store: &BlobStore, name: &str) -> Result<Self, StoreError> {
        let directory = store.root().join(name);
        make_directory(&directory)?;
        Ok(Self { store: store.clone(), directory })
    }

    /// The record of `key`, if there is an intact one.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: Digest) -> Option<T> {
        let content = fs::read_to_string(self.path(key)).ok()?;
        let (checksum, json) = content.split_once('\n')?;
        (checksum == self::checksum(key, json).hex()).then(|| serde_json::from_str(json).ok())?
    }

    /// Writes the record of `key`.
    pub(crate) fn put<T: Serialize>(&self, key: Digest, record: &T) -> Result<(), StoreError> {
        let path = self.path(key);
        let json = serde_json::to_string(record).expect("records have string keys only");
        let file = self.store.partial_file()?;
        write!(file.as_file(), "{}\n{json}", checksum(key, &json).hex())
            .map_err(StoreError::io("write", file.path()))?;
        file.persist(&path).map_err(|error| StoreError::io("write", &path)(error.error))?;
        Ok(())
    }

    /// Removes the record of `key`, if there is one.
    pub(crate) fn remove(&self, key: Digest) {
        // What cannot be removed is found to be damaged again.
        drop(fs::remove_file(self.path(key)));
    }

    fn path(&self, key: Digest) -> PathBuf {
        self.directory.join(key.hex())
    }
}

fn checksum(key: Digest, json: &str) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(key.as_bytes());
    hasher.update(json.as_bytes());
    hasher.finish()
}
