//! Why files were not written.

use std::io;
use std::path::PathBuf;

use crate::store::StoreError;

/// Why the files were not written. What had been there before is still there, whole.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        source: io::Error,
    },
    /// A path that leaves its directory, or that the list has twice.
    #[error("cannot write to `{}`: {reason}", path.escape_debug())]
    Path {
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is something else at the place.
    #[error("will not overwrite `{}`: {reason}", path.display())]
    NotOurs {
        path: PathBuf,
        /// What is there.
        reason: String,
    },
    /// Another process writes there.
    #[error("another process is writing to `{}`", path.display())]
    Busy { path: PathBuf },
    /// A blob cannot be read, or is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FilesError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// What the user can do about it, if that is known.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("free some space and run again; incomplete files were removed")
            }
            Self::NotOurs { .. } => Some("choose another path, or remove the existing one"),
            Self::Busy { .. } => {
                Some("run again after it exits, or use another path for each concurrent run")
            }
            Self::Store(error) => error.help(),
            _ => None,
        }
    }
}
