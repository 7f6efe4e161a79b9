//! Documents that are published beside an image, such as signatures: whole, and of this run.

use seed_model::{Attachment, Content, Descriptor, Digest};
use seed_oci::StoreError;
use seed_oci::documents::MAX_DOCUMENT;
use serde::Deserialize;

use crate::capabilities::RunBlobs;

/// Blobs of one artifact: signatures have a few.
const MAX_BLOBS: usize = 1000;

/// Why an artifact's manifest cannot be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// A blob that is not of this run.
    #[error("the artifact names {0}, which does not belong to this run")]
    Foreign(Digest),
    /// A blob of another size.
    #[error("the artifact says that {digest} has {stated} bytes, but it has {found}")]
    Size {
        digest: Digest,
        /// What the descriptor says.
        stated: u64,
        /// What it has.
        found: u64,
    },
    /// Not a manifest.
    #[error("the artifact's manifest {digest} cannot be read: {error}")]
    Manifest { digest: Digest, error: serde_json::Error },
    /// Too many blobs.
    #[error("the artifact has {0} blobs; at most {MAX_BLOBS} are taken")]
    TooMany(usize),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An artifact that was checked.
#[derive(Clone, Debug)]
pub(crate) struct SignedArtifact {
    pub(crate) content: Content,
    pub(crate) subject: Digest,
    pub(crate) attachment: Attachment,
}

/// The parts of an image manifest that name blobs.
#[derive(Deserialize)]
struct ManifestBlobs {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// The blobs that an artifact's manifest names, all of this run, and the manifest's bytes.
pub(super) fn content(blobs: &RunBlobs, manifest: &Descriptor) -> Result<(Content, Vec<u8>), ContentError> {
    check_blob(blobs, manifest)?;
    let bytes = blobs.store().document(manifest.digest, MAX_DOCUMENT)?;
    let parsed: ManifestBlobs = serde_json::from_slice(&bytes)
        .map_err(|error| ContentError::Manifest { digest: manifest.digest, error })?;
    let mut named: Vec<_> = [parsed.config].into_iter().chain(parsed.layers).collect();
    named.sort_by_key(|descriptor| descriptor.digest);
    named.dedup_by_key(|descriptor| descriptor.digest);
    if named.len() > MAX_BLOBS {
        return Err(ContentError::TooMany(named.len()));
    }
    named.iter().try_for_each(|descriptor| check_blob(blobs, descriptor))?;
    Ok((Content { manifest: manifest.clone(), blobs: named }, bytes))
}

fn check_blob(blobs: &RunBlobs, descriptor: &Descriptor) -> Result<(), ContentError> {
    let Descriptor { digest, size, .. } = descriptor;
    if !blobs.knows(*digest) {
        return Err(ContentError::Foreign(*digest));
    }
    let found = blobs.store().size(*digest)?.unwrap_or_default();
    if found != *size {
        return Err(ContentError::Size { digest: *digest, stated: *size, found });
    }
    Ok(())
}
