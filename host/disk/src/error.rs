//! Why the disk could not do something, with the place and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the disk could not do something.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        source: io::Error,
    },
    /// Somebody else could have written what is there, or could read a secret.
    #[error("`{}` is not private: {reason}", path.display())]
    NotPrivate {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: NotPrivate,
    },
}

/// What is wrong with something that should be one user's alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPrivate {
    /// A link, which may lead anywhere.
    Link,
    /// Neither a directory nor a regular file.
    Kind,
    /// It belongs to another user.
    Owner {
        /// The numeric id of its owner.
        owner: u32,
        /// The numeric id of the user that runs this process.
        user: u32,
    },
    /// Its mode gives others too much.
    Mode {
        /// The permission bits, such as 0o775.
        mode: u32,
        /// Those of them that may not be set, such as 0o022.
        forbidden: u32,
    },
}

impl fmt::Display for NotPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("it is a symbolic link"),
            Self::Kind => f.write_str("it is neither a directory nor a regular file"),
            Self::Owner { owner, user } => write!(f, "it belongs to user {owner}, but you are user {user}"),
            Self::Mode { mode, forbidden } if forbidden & 0o044 == 0 => {
                write!(f, "its mode is {mode:04o}, so others can write to it")
            }
            Self::Mode { mode, .. } => {
                write!(f, "its mode is {mode:04o}, so others can read it or write to it")
            }
        }
    }
}

impl DiskError {
    /// For `map_err`: the operating system refused to `action` (a verb, such as `write`) the file or directory `path`.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// What the user can do about it, where that is known.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(
                    "free some space, or move the cache with SEED_CACHE_DIR; incomplete files were removed",
                ),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    Some("set SEED_CACHE_DIR to a directory of your own")
                }
                io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                    Some("set SEED_CACHE_DIR to another directory")
                }
                _ => None,
            },
            Self::NotPrivate { reason, .. } => Some(match reason {
                NotPrivate::Link => "set SEED_CACHE_DIR to the directory itself",
                NotPrivate::Kind => "remove it, or set SEED_CACHE_DIR to another directory",
                NotPrivate::Owner { .. } => {
                    "`seed` runs and publishes the contents of its cache, so nobody else may write to it: \
                     set SEED_CACHE_DIR to a directory of your own"
                }
                NotPrivate::Mode { .. } => {
                    "`seed` runs and publishes the contents of its cache, so nobody else may write to it: \
                     remove it, or run `chmod go-rwx` on it if you trust its contents"
                }
            }),
        }
    }
}
