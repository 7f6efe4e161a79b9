//! Why a tree has no NAR view.

use std::io;
use std::path::PathBuf;

/// Directories inside each other; each level holds a file descriptor.
pub(super) const MAX_DEPTH: usize = 256;

/// A tree that has no NAR view.
#[derive(Debug, thiserror::Error)]
pub enum NarError {
    /// The operating system refused.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        source: io::Error,
    },
    /// A device, pipe or socket.
    #[error("cannot pack `{}`: it is a {kind}, not a regular file, directory or symbolic link", path.display())]
    Type {
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The tree was changed meanwhile.
    #[error("`{}` changed while it was being read", path.display())]
    Changed {
        /// The file or directory.
        path: PathBuf,
    },
    /// Too many directories inside each other.
    #[error("`{}` is nested more than {MAX_DEPTH} directories deep", path.display())]
    TooDeep { path: PathBuf },
    /// Two names become one without macOS's case hack.
    #[error("another file name differs from `{}` only in case", path.display())]
    CaseCollision {
        /// The second file.
        path: PathBuf,
    },
    /// Whoever receives the tree does not want it.
    #[error("cannot pack `{}`: {reason}", path.display())]
    Refused {
        /// The file or directory.
        path: PathBuf,
        reason: String,
    },
}
