//! Image manifests, as what is read in them is passed on.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::descriptor::Descriptor;

/// An OCI image manifest, or an artifact's, whose form was checked by the one who read it (`seed_oci::document`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What kind of artifact it is; images have none.
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, bottom first.
    pub layers: Vec<Descriptor>,
    /// The manifest or index that an artifact is about.
    #[serde(default)]
    pub subject: Option<Descriptor>,
    /// The annotations of the manifest itself.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}
