//! Why documents are not a proper image.

use seed_model::{Digest, Platform};

use crate::store::StoreError;

/// A document that is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The store failed, or does not have the document.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not of its form, or says something wrong.
    #[error("invalid {document} {digest}: {reason}")]
    Wrong {
        /// What it should be.
        document: &'static str,
        digest: Digest,
        reason: String,
    },
    /// An index would name two images for one platform.
    #[error("ambiguous index: two images are for {platform}")]
    SamePlatform { platform: Platform },
}

impl DocumentError {
    pub(crate) fn wrong(document: &'static str, digest: Digest, reason: impl Into<String>) -> Self {
        Self::Wrong { document, digest, reason: reason.into() }
    }
}
