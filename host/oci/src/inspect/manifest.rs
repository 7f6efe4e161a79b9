//! Manifests, indexes and configurations, as far as they are shown.

use std::collections::BTreeMap;

use seed_model::{Descriptor, Digest, Platform};
use serde::Deserialize;

use super::InspectError;
use crate::documents::MAX_DOCUMENT;
use crate::source::Source;

/// The most layers; the smallest limit of the tools that could run such an image is 127.
const MAX_LAYERS: usize = 1000;

/// An image manifest.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What a digest in a manifest's place can be.
#[derive(Debug)]
pub(crate) enum Document {
    Manifest(Box<Manifest>),
    Index(Vec<Descriptor>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

/// Parses a manifest or index.
pub(crate) fn parse(
    source: &dyn Source,
    descriptor: &Descriptor,
    bytes: &[u8],
) -> Result<Document, InspectError> {
    let error = |reason: String| InspectError::Document {
        what: "manifest",
        digest: descriptor.digest,
        place: source.place(),
        reason,
    };
    let raw: Raw = serde_json::from_slice(bytes).map_err(|e| error(e.to_string()))?;
    match raw {
        Raw { manifests: Some(manifests), layers: None, config: None, .. } => Ok(Document::Index(manifests)),
        Raw { manifests: None, layers: Some(layers), config: Some(config), artifact_type, annotations } => {
            if layers.len() > MAX_LAYERS {
                return Err(error(format!("it has more than {MAX_LAYERS} layers")));
            }
            let annotations = annotations.unwrap_or_default();
            Ok(Document::Manifest(Box::new(Manifest { artifact_type, config, layers, annotations })))
        }
        _ => {
            Err(error("it is neither a manifest (`config`, `layers`) nor an index (`manifests`)".to_owned()))
        }
    }
}

/// The shown parts of an image configuration; of an artifact, which has none, all empty.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) platform: Option<Platform>,
    pub(crate) created: Option<String>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) cmd: Vec<String>,
    pub(crate) diff_ids: Vec<Digest>,
    /// By layer.
    pub(crate) created_by: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct RawConfig {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    created: Option<String>,
    #[serde(default)]
    config: RawExecution,
    rootfs: RawRootfs,
    history: Option<Vec<RawHistory>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawExecution {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct RawRootfs {
    diff_ids: Vec<Digest>,
}

#[derive(Deserialize)]
struct RawHistory {
    created_by: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

/// Reads the configuration of an image.
pub(crate) fn config(source: &dyn Source, manifest: &Manifest) -> Result<Config, InspectError> {
    let descriptor = &manifest.config;
    let error = |reason: String| InspectError::Document {
        what: "configuration",
        digest: descriptor.digest,
        place: source.place(),
        reason,
    };
    if !descriptor.media_type.ends_with(".image.config.v1+json")
        && !descriptor.media_type.ends_with(".image.v1+json")
    {
        return Ok(Config::default());
    }
    if descriptor.size > MAX_DOCUMENT {
        return Err(error(format!("it is larger than {MAX_DOCUMENT} bytes")));
    }
    let mut bytes = Vec::new();
    source.copy(descriptor, &mut bytes)?;
    let raw: RawConfig = serde_json::from_slice(&bytes).map_err(|e| error(e.to_string()))?;
    if raw.rootfs.diff_ids.len() != manifest.layers.len() {
        let (layers, ids) = (manifest.layers.len(), raw.rootfs.diff_ids.len());
        return Err(error(format!("it has {ids} diff ids for {layers} layers")));
    }
    let platform = match (raw.os, raw.architecture) {
        (Some(os), Some(architecture)) => Some(Platform { os, architecture, variant: raw.variant }),
        _ => None,
    };
    let history = raw.history.unwrap_or_default();
    Ok(Config {
        platform,
        created: raw.created,
        entrypoint: raw.config.entrypoint.unwrap_or_default(),
        cmd: raw.config.cmd.unwrap_or_default(),
        diff_ids: raw.rootfs.diff_ids,
        created_by: history
            .into_iter()
            .filter(|entry| !entry.empty_layer)
            .map(|entry| entry.created_by)
            .collect(),
    })
}
