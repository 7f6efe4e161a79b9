//! `seed inspect`: what an image holds, wherever it is. Needs no cache.

use std::env;
use std::sync::Arc;

use miette::Diagnostic;
use seed_http::DockerConfig;
use seed_oci::source::{self, Reference, ReferenceError};
use serde::Serialize;

pub use seed_oci::inspect::{
    Artifact, ContentLimits, Contents, ImageSummary, InspectOptions, Inspection, LayerSummary, Signatures,
    SizedPath,
};

use crate::summary::SCHEMA;

/// What `seed inspect` found. Signatures are listed, not verified.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InspectSummary {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The image, or all images of an index.
    pub image: Inspection,
}

/// An image that cannot be inspected.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum InspectError {
    /// It is not said where the image is.
    #[error(transparent)]
    #[diagnostic(code("seed::inspect::reference"))]
    Reference(#[from] ReferenceError),
    /// It cannot be read, or is not what it says.
    #[error("`{reference}` cannot be inspected")]
    #[diagnostic(code("seed::inspect::failed"))]
    Failed {
        /// The reference.
        reference: String,
        /// Why.
        source: Box<seed_oci::inspect::InspectError>,
    },
}

/// Looks at the image that `reference` names: a layout directory, an archive, or `host/repository:tag`. Reads the layers
/// where `options.largest` is not 0. Credentials come from the files of Docker and Podman, when the registry asks.
pub fn inspect(reference: &str, options: &InspectOptions) -> Result<InspectSummary, InspectError> {
    let parsed = Reference::parse(reference)?;
    let credentials = Arc::new(DockerConfig::locate(|name| env::var_os(name)));
    let image = source::open(&parsed, credentials)
        .map_err(seed_oci::inspect::InspectError::from)
        .and_then(|source| seed_oci::inspect::inspect(source.as_ref(), options))
        .map_err(|error| InspectError::Failed { reference: reference.to_owned(), source: Box::new(error) })?;
    Ok(InspectSummary { schema: SCHEMA, image })
}
