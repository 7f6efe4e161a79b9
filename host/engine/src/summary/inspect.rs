//! What `seed inspect` gives back.

use serde::Serialize;

pub use seed_oci::inspect::{
    Artifact, Contents, InspectedImage, InspectedLayer, Inspection, Signatures, SizedPath,
};

/// What `seed inspect` found. Signatures are listed, not verified.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct InspectSummary {
    /// Counts incompatible changes of this form.
    pub schema: u32,
    /// The image, or all images of an index.
    pub image: Inspection,
}
