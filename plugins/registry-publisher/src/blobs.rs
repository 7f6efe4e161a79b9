//! Blobs: which are missing, and sending those.

use std::collections::BTreeMap;

use seed_plugin::publisher::PublishRequest;
use seed_plugin::{Diagnostic, StageError};

use crate::config::Config;
use crate::count::Count;
use crate::registry::Registry;
use crate::repository::is_name;
use crate::upload::Upload;

/// How many uploads are begun before the first ones must end: begun uploads expire at the registry.
const WINDOW: usize = 16;

/// Blobs by digest, with their sizes.
pub(crate) type Blobs = BTreeMap<String, u64>;

/// Every blob of the request, each once.
pub(crate) fn all(request: &PublishRequest) -> Blobs {
    let images = request.images.iter().map(|image| &image.content);
    let artifacts = request.artifacts.iter().map(|artifact| &artifact.content);
    let contents = images.chain(&request.index).chain(artifacts);
    contents.flat_map(|content| &content.blobs).map(|blob| (blob.digest.clone(), blob.size)).collect()
}

/// Sends the blobs that the repository does not have.
pub(crate) fn send(
    registry: &Registry,
    config: &Config,
    blobs: &Blobs,
    count: &mut Count,
) -> Result<(), StageError> {
    let missing = missing(registry, blobs, &registry.repository.name)?;
    count.skipped += blobs.len() - missing.len();
    let mut mounts = mounts(registry, config, &missing)?;
    let uploads: Vec<Upload> = missing
        .iter()
        .map(|(digest, size)| Upload::new(digest, *size, config.chunk_size, mounts.remove(digest)))
        .collect();
    for window in uploads.chunks(WINDOW) {
        for upload in run(registry, window.to_vec())? {
            match upload.sent() {
                Some(bytes) => count.sent(bytes),
                None => count.skipped += 1,
            }
        }
    }
    Ok(())
}

/// Runs uploads side by side until all are done.
fn run(registry: &Registry, mut uploads: Vec<Upload>) -> Result<Vec<Upload>, StageError> {
    while uploads.iter().any(|upload| !upload.is_done()) {
        let mut active: Vec<&mut Upload> = uploads.iter_mut().filter(|upload| !upload.is_done()).collect();
        let requests = active.iter().filter_map(|upload| upload.request(&registry.repository)).collect();
        for (upload, answer) in active.iter_mut().zip(registry.send_all(requests)) {
            upload.advance(&registry.repository, answer)?;
        }
    }
    Ok(uploads)
}

/// The blobs that a repository of this registry does not have.
fn missing(registry: &Registry, blobs: &Blobs, name: &str) -> Result<Blobs, StageError> {
    let exist = registry.blobs_exist(name, blobs.keys().map(String::as_str))?;
    Ok(blobs
        .iter()
        .zip(exist)
        .filter(|(_, exists)| !exists)
        .map(|((d, size), _)| (d.clone(), *size))
        .collect())
}

/// Which of the missing blobs another repository has.
fn mounts(
    registry: &Registry,
    config: &Config,
    missing: &Blobs,
) -> Result<BTreeMap<String, String>, StageError> {
    let mut mounts = BTreeMap::new();
    let mut wanted = missing.clone();
    for (index, name) in config.mount_from.iter().enumerate() {
        if !is_name(name) {
            let message = format!("`{name}` is not the name of a repository");
            return Err(Diagnostic::error("registry-publisher::mount-from", &message)
                .with_help("write the name without the registry, such as `org/base`")
                .at(&format!("/mount-from/{index}"))
                .into());
        }
        if wanted.is_empty() {
            break;
        }
        let still = missing_or_unreadable(registry, &wanted, name)?;
        for digest in wanted.keys().filter(|digest| !still.contains_key(*digest)) {
            mounts.insert(digest.clone(), name.clone());
        }
        wanted = still;
    }
    Ok(mounts)
}

/// As [`missing`]; a repository that may not be read has nothing for us.
fn missing_or_unreadable(registry: &Registry, blobs: &Blobs, name: &str) -> Result<Blobs, StageError> {
    match self::missing(registry, blobs, name) {
        Err(StageError::Auth(_) | StageError::Remote(_)) => Ok(blobs.clone()),
        other => other,
    }
}
