//! Remembers the results of selection, which is a pure function of its input.
//!
//! A small native selector answers in less time than its input takes to hash; this is for those that carry an
//! interpreter, which take seconds. Packing is not remembered here: its layers are, by their keys.

use seed_disk::Records;
use seed_model::{Closure, Digest, SelectionRequest};
use seed_oci::{BlobStore, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Increased when the engine makes something else of a call: results with other numbers are not used.
const ENGINE: u32 = 1;

/// Results on disk, one record for each key.
#[derive(Clone, Debug)]
pub(crate) struct StageCache(Records);

impl StageCache {
    /// Opens the directory `stages` of the store.
    pub(crate) fn open(store: &BlobStore) -> Result<Self, StoreError> {
        Ok(Self(store.records("stages")?))
    }

    /// The key of a call: everything that its result depends on.
    pub(crate) fn key(
        component: Digest,
        world: &str,
        call: &str,
        request: &SelectionRequest,
        closure: Option<&Closure>,
    ) -> Digest {
        let key = json!({
            "engine": ENGINE,
            "component": component,
            "world": world,
            "call": call,
            "config": request.config,
            "name": request.name,
            "system": request.system,
            "platform": request.platform,
            "variant": request.variant,
            "source": request.source,
            "available": request.available,
            "variables": request.variables,
            "layer-lock": request.layer_lock,
            "closure": closure,
        });
        Digest::of(key.to_string().as_bytes())
    }

    /// The result of an earlier call; none if it is missing, unreadable or damaged.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: Digest) -> Option<T> {
        self.0.get(key.as_bytes())
    }

    /// Keeps a result. If that fails, the next run calls the plugin again.
    pub(crate) fn put(&self, key: Digest, result: &impl Serialize) {
        drop(self.0.put(key.as_bytes(), result));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_damaged_or_renamed_result_is_as_good_as_missing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = StageCache::open(&BlobStore::open(directory.path()).unwrap()).unwrap();
        let (key, other) = (Digest::of(b"key"), Digest::of(b"other"));
        let path = |key: Digest| directory.path().join("stages").join(key.hex());
        assert_eq!(cache.get::<Vec<String>>(key), None);
        cache.put(key, &["base"]);
        assert_eq!(cache.get::<Vec<String>>(key).unwrap(), ["base"]);
        let whole = fs::read_to_string(path(key)).unwrap();
        for damaged in [whole.replace("base", "bass"), whole.replace('[', ""), String::new()] {
            fs::write(path(key), damaged).unwrap();
            assert_eq!(cache.get::<Vec<String>>(key), None);
        }
        fs::write(path(other), whole).unwrap();
        assert_eq!(cache.get::<Vec<String>>(other), None);
    }
}
