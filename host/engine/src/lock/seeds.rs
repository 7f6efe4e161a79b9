//! What was published, as `seed.lock` keeps it: the digests that `seed exec` runs.

use seed_model::Digest;
use serde::{Deserialize, Serialize};

/// The image of one system. Its entry is written after the images of all systems were published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSeed {
    pub system: String,
    /// The digest of the image manifest.
    pub digest: Digest,
}

/// What all tags pointed to, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPublication {
    /// The digest of the index, or of the only image's manifest: as it was pushed, not as a tag resolved afterwards.
    pub digest: Digest,
    /// Places in registries, with tags where there are some.
    #[serde(default)]
    pub references: Vec<String>,
    /// Files and directories, as the pipeline file names them.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// Everything that a lock says of what was published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockedSeeds {
    /// One entry per system, sorted by system.
    pub images: Vec<LockedSeed>,
    /// Where they are; none if nothing was published yet.
    pub published: Option<LockedPublication>,
}

impl LockedSeeds {
    /// The manifest of the image for `system`.
    pub fn image(&self, system: &str) -> Option<Digest> {
        self.images.iter().find(|image| image.system == system).map(|image| image.digest)
    }
}
