//! Indexes: several images under one digest, sorted by platform.

use std::collections::BTreeMap;

use seed_model::{Descriptor, Platform};
use serde::{Deserialize, Serialize};

use crate::document::canonical::canonical_json;
use crate::document::error::DocumentError;
use crate::document::media_type::INDEX;

/// The most images of one index. Listings of referrers may be longer.
pub(crate) const MAX_IMAGES: usize = 256;

/// What an index names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Index {
    /// Its manifests, in its order.
    pub manifests: Vec<Descriptor>,
    /// The manifest or index that it is about, if it is an artifact.
    #[serde(default)]
    pub subject: Option<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    schema_version: u32,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

/// Composes the index of images: sorted by platform, canonical JSON. Gives its bytes and descriptor.
pub fn make_index(
    images: &[(Platform, Descriptor)],
    annotations: &BTreeMap<String, String>,
) -> Result<(Vec<u8>, Descriptor), DocumentError> {
    let mut by_platform = BTreeMap::new();
    for (platform, manifest) in images {
        let manifest = Descriptor { platform: Some(platform.clone()), ..manifest.clone() };
        if by_platform.insert(platform, manifest).is_some() {
            return Err(DocumentError::SamePlatform { platform: platform.clone() });
        }
    }
    let manifests = by_platform.into_values().collect();
    let bytes = canonical_json(&Written { schema_version: 2, media_type: INDEX, manifests, annotations });
    let descriptor = Descriptor::of(INDEX, &bytes);
    Ok((bytes, descriptor))
}
