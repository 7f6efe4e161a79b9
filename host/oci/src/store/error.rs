//! Why the store cannot be used.

use std::io;
use std::path::PathBuf;

use seed_disk::DiskError;
use seed_model::Digest;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no such blob.
    #[error("blob {digest} is not in the store `{}`", store.display())]
    Missing {
        digest: Digest,
        /// The store's directory.
        store: PathBuf,
    },
    /// A file's content is not what its name says.
    #[error("`{}` is damaged: its content has the digest {found}", path.display())]
    Corrupt {
        /// The blob's file.
        path: PathBuf,
        /// The digest of what is in it.
        found: Digest,
    },
    /// A document is larger than whoever reads it can take.
    #[error("blob {digest} has {size} bytes, more than the limit of {limit} for this kind of document")]
    TooLarge {
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let error = DiskError::io(action, path);
        move |source| error(source).into()
    }

    /// What the user can do about it, if that is known.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Disk(error) => error.help(),
            Self::Corrupt { .. } => Some("run again to rebuild the damaged blob"),
            Self::Missing { .. } | Self::TooLarge { .. } => None,
        }
    }
}
