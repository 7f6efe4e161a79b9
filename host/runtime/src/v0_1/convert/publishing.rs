//! Interfaces `files` and `publishing`.

use seed_model as model;

use super::types::{TEXT, digest, pairs};
use crate::error::InvalidOutput;
use crate::text::printable;
use crate::v0_1::bindings::exports::seed::pipeline::publishing as wit;
use crate::v0_1::bindings::seed::pipeline::files as files_wit;

impl From<&model::PublishRequest> for wit::Request {
    fn from(model: &model::PublishRequest) -> Self {
        let image = |image: &model::SystemImage| wit::Image {
            system: image.system.clone(),
            content: (&image.content).into(),
        };
        let attached = |attached: &model::Attached| wit::Attached {
            content: (&attached.content).into(),
            subject: attached.subject.to_string(),
            attachment: (&attached.attachment).into(),
        };
        Self {
            config: model.config.clone(),
            name: model.name.clone(),
            images: model.images.iter().map(image).collect(),
            index: model.index.as_ref().map(Into::into),
            artifacts: model.artifacts.iter().map(attached).collect(),
            variables: pairs(&model.variables),
            tagged: model.tagged,
        }
    }
}

impl From<&model::Content> for wit::Content {
    fn from(model: &model::Content) -> Self {
        Self { manifest: (&model.manifest).into(), blobs: model.blobs.iter().map(Into::into).collect() }
    }
}

/// Places from a component.
pub(in crate::v0_1) fn published(wit: Vec<wit::Published>) -> Result<Vec<model::Published>, InvalidOutput> {
    let place = |(i, place): (usize, wit::Published)| {
        Ok(model::Published {
            reference: printable(&place.reference, TEXT),
            digest: digest(&format!("[{i}].digest"), &place.digest)?,
            uploaded: place.uploaded,
            skipped: place.skipped,
            bytes: place.bytes,
            try_with: place.try_with.map(|command| printable(&command, TEXT)),
        })
    };
    wit.into_iter().enumerate().map(place).collect()
}

/// Files that a component wants to write.
pub(in crate::v0_1) fn files(wit: Vec<files_wit::File>) -> Result<Vec<model::File>, InvalidOutput> {
    let file = |(i, file): (usize, files_wit::File)| {
        Ok(model::File {
            path: file.path,
            content: match file.content {
                files_wit::Content::Bytes(bytes) => model::FileContent::Bytes(bytes),
                files_wit::Content::Blob(blob) => {
                    model::FileContent::Blob(digest(&format!("files[{i}].content"), &blob)?)
                }
            },
        })
    };
    wit.into_iter().enumerate().map(file).collect()
}

impl From<model::Written> for files_wit::Written {
    fn from(model: model::Written) -> Self {
        Self { files: model.files, unchanged: model.unchanged, bytes: model.bytes }
    }
}
