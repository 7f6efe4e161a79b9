//! Artifacts at appending tags: what is at the tag is kept, what is missing is added.

use seed_plugin::oci::{self, JsonDescriptor, Manifest, media_type};
use seed_plugin::publisher::Attached;
use seed_plugin::{Descriptor, StageError, appending, digest};

use crate::blobs::{self, Blobs};
use crate::config::Config;
use crate::count::Count;
use crate::registry::Registry;

/// Publishes one artifact at its tag; its own blobs are in the repository already.
pub(crate) fn publish(
    registry: &Registry,
    config: &Config,
    artifact: &Attached,
    tag: &str,
    count: &mut Count,
) -> Result<(), StageError> {
    let manifest = &artifact.content.manifest;
    let Some(existing) = registry.get(tag)? else {
        registry.put(manifest, tag)?;
        count.sent(manifest.size);
        return Ok(());
    };
    let existing: Manifest = serde_json::from_slice(&existing).map_err(|error| {
        StageError::Remote(format!("cannot add signatures at tag `{tag}`: not an image manifest: {error}"))
    })?;
    let ours: Manifest = serde_json::from_slice(&oci::read(manifest)?)
        .map_err(|error| StageError::Failed(format!("{} is not a manifest: {error}", manifest.digest)))?;
    let Some(merged) = merge(registry, config, existing, &ours, count)? else {
        count.skipped += 1;
        return Ok(());
    };
    registry.put(&merged, tag)?;
    count.sent(merged.size);
    Ok(())
}

/// A manifest with the layers of both, in the blob store, with its configuration sent; nothing if all are there.
fn merge(
    registry: &Registry,
    config: &Config,
    mut existing: Manifest,
    ours: &Manifest,
    count: &mut Count,
) -> Result<Option<Descriptor>, StageError> {
    let layers = appending::merge_layers(&existing, ours);
    if layers == existing.layers {
        return Ok(None);
    }
    if layers.iter().any(|layer| digest::hex(&layer.digest).is_none()) {
        return Err(StageError::Remote("the registry lists a signature without a SHA-256 digest".to_owned()));
    }
    existing.layers = layers;
    let configuration = oci::put_json(media_type::CONFIG, &appending::configuration(&existing.layers))?;
    blobs::send(registry, config, &Blobs::from([(configuration.digest.clone(), configuration.size)]), count)?;
    existing.config = JsonDescriptor::from(&configuration);
    Ok(Some(oci::put_json(media_type::MANIFEST, &existing)?))
}
