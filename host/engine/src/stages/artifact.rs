//! Documents that are published beside an image, such as signatures: whole, and of this run.

use seed_model::{Attachment, Content, Descriptor, Digest, Manifest};
use seed_oci::StoreError;
use seed_oci::document::{DocumentError, stored_manifest};

use crate::capabilities::RunBlobs;

/// Why an artifact's manifest cannot be published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    /// A blob that is not of this run.
    #[error("the artifact names {0}, which does not belong to this run")]
    Foreign(Digest),
    /// A blob of another size.
    #[error("the artifact's descriptor of {digest} states {stated} bytes, but the blob has {found}")]
    Size {
        digest: Digest,
        /// What the descriptor says.
        stated: u64,
        /// What it has.
        found: u64,
    },
    /// Not a manifest.
    #[error(transparent)]
    Manifest(#[from] DocumentError),
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

/// An artifact's manifest, and the blobs that it names, all of this run.
pub(super) fn content(blobs: &RunBlobs, manifest: &Descriptor) -> Result<(Content, Manifest), ContentError> {
    check_blob(blobs, manifest)?;
    let parsed = stored_manifest(blobs.store(), manifest)?;
    let mut named: Vec<_> = parsed.layers.iter().chain([&parsed.config]).cloned().collect();
    named.sort_by_key(|descriptor| descriptor.digest);
    named.dedup_by_key(|descriptor| descriptor.digest);
    named.iter().try_for_each(|descriptor| check_blob(blobs, descriptor))?;
    Ok((Content { manifest: manifest.clone(), blobs: named }, parsed))
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
