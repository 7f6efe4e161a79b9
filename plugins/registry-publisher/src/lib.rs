//! Publishes to a registry (OCI distribution specification 1.1).
//!
//! The order makes failures harmless: blobs, image manifests by digest, the index by digest, artifacts, and only then
//! tags. Whatever fails, every tag of the image is as it was or complete.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]

mod answer;
mod appended;
mod blobs;
mod config;
mod count;
mod referrers;
mod registry;
mod repository;
mod upload;

use seed_plugin::publisher::{Attached, Attachment, PublishRequest, Published, Publisher};
use seed_plugin::{About, Descriptor, Plugin, StageError};

use crate::config::Config;
use crate::count::Count;
use crate::registry::Registry;
use crate::repository::Repository;

struct RegistryPublisher;

impl Plugin for RegistryPublisher {
    type Config = Config;
    const ABOUT: About = seed_plugin::about!(include_str!("config.schema.json"));
}

impl Publisher for RegistryPublisher {
    fn targets(config: Config, _name: &str) -> Result<Vec<String>, StageError> {
        Repository::parse(&config.repository, config.plain_http)?;
        Ok(vec![config.repository])
    }

    fn publish(config: Config, request: PublishRequest) -> Result<Vec<Published>, StageError> {
        let tags = if request.tagged { config.tags(&request.variables)? } else { Vec::new() };
        let root = root(&request)?;
        let registry = Registry::open(&config, root)?;
        let mut count = Count::default();
        blobs::send(&registry, &config, &blobs::all(&request), &mut count)?;
        for image in &request.images {
            put_by_digest(&registry, &image.content.manifest, &mut count)?;
        }
        if let Some(index) = &request.index {
            put_by_digest(&registry, &index.manifest, &mut count)?;
        }
        publish_artifacts(&registry, &config, &request.artifacts, &mut count)?;
        publish_tags(&registry, &config, &tags, root, count)
    }
}

seed_plugin::export_publisher!(RegistryPublisher);

/// The index, or the only image.
fn root(request: &PublishRequest) -> Result<&Descriptor, StageError> {
    match (&request.index, &*request.images) {
        (Some(index), _) => Ok(&index.manifest),
        (None, [image]) => Ok(&image.content.manifest),
        (None, images) => Err(StageError::Failed(format!("{} images without an image index", images.len()))),
    }
}

fn put_by_digest(registry: &Registry, manifest: &Descriptor, count: &mut Count) -> Result<(), StageError> {
    if registry.manifests_exist(std::iter::once(manifest.digest.as_str()))? == [true] {
        count.skipped += 1;
        return Ok(());
    }
    registry.put(manifest, &manifest.digest)?;
    count.sent(manifest.size);
    Ok(())
}

fn publish_artifacts(
    registry: &Registry,
    config: &Config,
    artifacts: &[Attached],
    count: &mut Count,
) -> Result<(), StageError> {
    let referrers: Vec<&Attached> =
        artifacts.iter().filter(|artifact| matches!(artifact.attachment, Attachment::Referrer)).collect();
    referrers::publish(registry, &referrers, count)?;
    for artifact in artifacts {
        if let Attachment::AppendingTag(tag) = &artifact.attachment {
            appended::publish(registry, config, artifact, tag, count)?;
        }
    }
    Ok(())
}

/// Moves the tags that do not point to the image yet. The first entry of the answer carries what was sent before.
fn publish_tags(
    registry: &Registry,
    config: &Config,
    tags: &[String],
    root: &Descriptor,
    mut count: Count,
) -> Result<Vec<Published>, StageError> {
    let place = |reference: String, count: Count| Published {
        try_with: Some(format!("docker pull {reference}")),
        reference,
        digest: root.digest.clone(),
        uploaded: u32::try_from(count.sent).unwrap_or(u32::MAX),
        skipped: u32::try_from(count.skipped).unwrap_or(u32::MAX),
        bytes: count.bytes,
    };
    if tags.is_empty() {
        return Ok(vec![place(format!("{}@{}", config.repository, root.digest), count)]);
    }
    let mut published = Vec::new();
    for tag in tags {
        if registry.digest_at(tag)?.as_deref() == Some(root.digest.as_str()) {
            count.skipped += 1;
        } else {
            registry.put(root, tag)?;
            count.sent(root.size);
        }
        published.push(place(format!("{}:{tag}", config.repository), std::mem::take(&mut count)));
    }
    Ok(published)
}
