//! Readers of foreign bytes, for the fuzz targets in `tests/fuzz`. Not an interface: it changes with them.

use crate::challenge;
use crate::docker_config::ConfigFile;

/// Reads the value of a `WWW-Authenticate` header.
pub fn challenge(header: &str) {
    let _ = challenge::choose([header]);
}

/// Reads a configuration file of Docker, and looks for `registry` in it; asks no credential helper.
pub fn docker_config(bytes: &[u8], registry: &str) {
    if let Ok(file) = serde_json::from_slice::<ConfigFile>(bytes) {
        let _ = file.stored(registry, "config.json".as_ref());
    }
}
