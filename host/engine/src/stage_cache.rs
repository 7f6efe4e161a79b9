//! Remembers the results of selection, which is a pure function of its input.
//!
//! A small native selector answers in less time than its input takes to hash; this is for those that carry an
//! interpreter, which take seconds. Packing is not remembered here: its layers are, by their keys.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use seed_model::{Closure, Digest, SelectionRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::durable;

/// Counts changes of what the engine makes of a call: results of other numbers are not used.
const ENGINE: u32 = 1;

/// Nobody writes a result for longer than this.
const ABANDONED: Duration = Duration::from_hours(1);

/// Results on disk, one file for each key: the SHA-256 of the JSON text in hexadecimal, a line break, the JSON text. A
/// damaged plan could otherwise pass for another one, and make another image.
#[derive(Clone, Debug)]
pub(crate) struct StageCache {
    directory: PathBuf,
}

impl StageCache {
    /// Opens `directory`, which is made where it is missing.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        Ok(Self { directory })
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
            "pin": request.pin,
            "closure": closure,
        });
        Digest::of(key.to_string().as_bytes())
    }

    /// The result of an earlier call. What cannot be read or is damaged is as good as missing.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: Digest) -> Option<T> {
        let content = fs::read_to_string(self.path(key)).ok()?;
        let (hash, json) = content.split_once('\n')?;
        if Digest::of(json.as_bytes()).hex() != hash {
            return None;
        }
        serde_json::from_str(json).ok()
    }

    /// Keeps a result. Where that fails, the next run calls the plugin again.
    pub(crate) fn put(&self, key: Digest, result: &impl Serialize) {
        if let Ok(json) = serde_json::to_string(result) {
            let path = self.path(key);
            durable::remove_abandoned(&path, ABANDONED);
            let content = format!("{}\n{json}", Digest::of(json.as_bytes()).hex());
            drop(durable::write(&path, content.as_bytes()));
        }
    }

    fn path(&self, key: Digest) -> PathBuf {
        self.directory.join(key.hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_result_is_as_good_as_missing() {
        let directory = tempfile::tempdir().unwrap();
        let memo = StageCache::open(directory.path().join("stages")).unwrap();
        let key = Digest::of(b"key");
        assert_eq!(memo.get::<Vec<String>>(key), None);
        memo.put(key, &["base"]);
        assert_eq!(memo.get::<Vec<String>>(key).unwrap(), ["base"]);
        let whole = fs::read_to_string(memo.path(key)).unwrap();
        for damaged in [whole.replace("base", "bass"), whole.replace('[', ""), String::new()] {
            fs::write(memo.path(key), damaged).unwrap();
            assert_eq!(memo.get::<Vec<String>>(key), None);
        }
    }
}
