//! Image configurations.

use oci_spec::image::ImageConfiguration;
use seed_model::{Descriptor, Digest, Platform, json};
use serde::Deserialize;

use crate::document::error::DocumentError;
use crate::document::media_type::{CONFIG, DOCKER_CONFIG};
use crate::document::reader::check_bytes;

const DOCUMENT: &str = "image configuration";

/// What an image configuration says that must agree with other documents.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) platform: Platform,
    /// One for each layer.
    pub(crate) diff_ids: Vec<Digest>,
}

impl Configuration {
    /// Reads the configuration of an image with so many layers, strictly: all that the specification says of its form.
    pub(crate) fn read(descriptor: &Descriptor, bytes: &[u8], layers: usize) -> Result<Self, DocumentError> {
        let wrong = |reason: String| Err(DocumentError::wrong(DOCUMENT, descriptor.digest, reason));
        if descriptor.media_type != CONFIG {
            let media_type = descriptor.media_type.escape_debug();
            return wrong(format!("its media type is `{media_type}`, expected `{CONFIG}`"));
        }
        let configuration: ImageConfiguration = parse(descriptor, bytes)?;
        // The specification lets it be missing; Kubernetes refuses an image without it.
        if configuration.config().is_none() {
            return wrong("it has no `config` object".to_owned());
        }
        let rootfs = configuration.rootfs();
        if rootfs.typ() != "layers" {
            return wrong(format!("its rootfs.type is `{}`, expected `layers`", rootfs.typ().escape_debug()));
        }
        let diff_ids: Result<Vec<Digest>, _> = rootfs.diff_ids().iter().map(|id| id.parse()).collect();
        let diff_ids = match diff_ids {
            Ok(diff_ids) => diff_ids,
            Err(error) => return wrong(format!("invalid diff ID: {error}")),
        };
        check_count(descriptor, &diff_ids, layers)?;
        let history = configuration.history().as_deref().unwrap_or_default();
        let steps = history.iter().filter(|step| step.empty_layer() != Some(true)).count();
        if !history.is_empty() && steps != layers {
            return wrong(format!("its history has {steps} steps with a layer, expected {layers}"));
        }
        let platform = Platform {
            os: configuration.os().to_string(),
            architecture: configuration.architecture().to_string(),
            variant: configuration.variant().clone(),
        };
        Ok(Self { platform, diff_ids })
    }
}

/// What is shown of a configuration; of an artifact, which has none, all empty.
#[derive(Debug, Default)]
pub(crate) struct Details {
    pub(crate) platform: Option<Platform>,
    pub(crate) created: Option<String>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) cmd: Vec<String>,
    pub(crate) diff_ids: Vec<Digest>,
    /// By layer.
    pub(crate) created_by: Vec<Option<String>>,
}

#[derive(Deserialize)]
struct Raw {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    created: Option<String>,
    config: Option<RawExecution>,
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

impl Details {
    /// Whether a blob of this type is an image configuration.
    pub(crate) fn are_in(media_type: &str) -> bool {
        [CONFIG, DOCKER_CONFIG].contains(&media_type)
    }

    /// Reads the configuration of an image with so many layers, leniently: it may be Docker's, and lack what only
    /// running it needs, since images of others are looked at with this.
    pub(crate) fn read(descriptor: &Descriptor, bytes: &[u8], layers: usize) -> Result<Self, DocumentError> {
        let raw: Raw = parse(descriptor, bytes)?;
        let diff_ids = raw.rootfs.diff_ids;
        check_count(descriptor, &diff_ids, layers)?;
        let platform = match (raw.os, raw.architecture) {
            (Some(os), Some(architecture)) => Some(Platform { os, architecture, variant: raw.variant }),
            _ => None,
        };
        let execution = raw.config.unwrap_or_default();
        let history = raw.history.unwrap_or_default().into_iter();
        Ok(Self {
            platform,
            created: raw.created,
            entrypoint: execution.entrypoint.unwrap_or_default(),
            cmd: execution.cmd.unwrap_or_default(),
            diff_ids,
            created_by: history.filter(|entry| !entry.empty_layer).map(|entry| entry.created_by).collect(),
        })
    }
}

fn parse<T: serde::de::DeserializeOwned>(descriptor: &Descriptor, bytes: &[u8]) -> Result<T, DocumentError> {
    let parsed =
        check_bytes(descriptor, bytes).and_then(|()| json::parse(bytes).map_err(|error| error.to_string()));
    parsed.map_err(|reason| DocumentError::wrong(DOCUMENT, descriptor.digest, reason))
}

fn check_count(descriptor: &Descriptor, diff_ids: &[Digest], layers: usize) -> Result<(), DocumentError> {
    if diff_ids.len() == layers {
        return Ok(());
    }
    let reason = format!("it has {} diff IDs for {layers} layers", diff_ids.len());
    Err(DocumentError::wrong(DOCUMENT, descriptor.digest, reason))
}
