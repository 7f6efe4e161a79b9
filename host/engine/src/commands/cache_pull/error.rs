//! Why a build seed cannot be pulled.

use std::path::PathBuf;

use miette::Diagnostic;
use seed_disk::DiskError;
use seed_model::{Digest, UnknownSystem};
use seed_nix::NixError;
use seed_oci::location::ReferenceError;
use seed_oci::restore::RestoreError;
use seed_report::{Kind, Report};

use crate::cache::CacheError;
use crate::lock::LockFileError;
use crate::signatures::SignatureError;

/// A build seed that cannot be pulled.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum PullError {
    /// The text names no image.
    #[error(transparent)]
    #[diagnostic(code("seed::pull::reference"))]
    Reference(#[from] ReferenceError),
    /// There are no images for this system.
    #[error(transparent)]
    #[diagnostic(code("seed::pull::system"))]
    System(#[from] UnknownSystem),
    /// Nothing says which image is meant.
    #[error("`{reference}` is a tag: anyone who can move it decides what your builds use")]
    #[diagnostic(
        code("seed::pull::tag"),
        help(
            "it now names {digest}: pull `{pinned}` if that is the image you want, check it with `--lock \
             seed.lock` or `--key cosign.pub`, or accept any image with `--trust-tag`"
        )
    )]
    Tag {
        reference: String,
        /// What the tag names now.
        digest: Digest,
        /// The reference with the digest.
        pinned: String,
    },
    /// The lock file names another image.
    #[error("`{reference}` is now {digest}, which does not match {}", lock.display())]
    #[diagnostic(
        code("seed::pull::not-locked"),
        help(
            "the tag moved after the lock file was written: pull the locked image by digest, or update the lock file"
        )
    )]
    NotLocked {
        reference: String,
        /// What the tag names now.
        digest: Digest,
        lock: PathBuf,
    },
    /// There is no such lock file.
    #[error("lock file not found: {}", path.display())]
    #[diagnostic(code("seed::pull::no-lock"), help("`seed run` writes it after publishing"))]
    NoLock { path: PathBuf },
    /// The lock file cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockFileError),
    /// Nobody who is trusted has signed it, or a key cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Signature(#[from] SignatureError),
    /// It was not made to build in.
    #[error("`{reference}` is not a build seed: it does not register store paths")]
    #[diagnostic(
        code("seed::pull::not-a-build-seed"),
        help("pull an image made with `[seed] variant = \"build\"`")
    )]
    NotABuildSeed { reference: String },
    /// It cannot be read, or is not what it says.
    #[error("cannot pull `{reference}`")]
    #[diagnostic(code("seed::pull::failed"))]
    Image {
        reference: String,
        #[help]
        help: Option<String>,
        source: RestoreError,
    },
    /// Its registration cannot be used.
    #[error("invalid registration in `{reference}`: {reason}")]
    #[diagnostic(code("seed::pull::registration"), help("nothing was added to the store"))]
    Registration { reference: String, reason: String },
    /// Nix cannot take the paths.
    #[error("{error}")]
    #[diagnostic(code("seed::pull::nix"))]
    Nix {
        error: NixError,
        #[help]
        help: Option<String>,
    },
    /// No variable says where the paths could be kept until Nix has them.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Cache(#[from] CacheError),
    /// There is no place for the paths until Nix has them.
    #[error("cannot write store paths to {}", path.display())]
    #[diagnostic(
        code("seed::pull::directory"),
        help(
            "choose a directory of your own with enough free space, with `--cache-dir DIR` or `SEED_CACHE_DIR`"
        )
    )]
    Directory { path: PathBuf, source: DiskError },
}

impl From<NixError> for PullError {
    fn from(error: NixError) -> Self {
        Self::Nix { help: error.help(), error }
    }
}

impl Report for PullError {
    fn kind(&self) -> Kind {
        match self {
            Self::Reference(_) | Self::System(_) | Self::NoLock { .. } => Kind::Usage,
            Self::Tag { .. } | Self::NotLocked { .. } => Kind::Pin,
            Self::Lock(error) => error.kind(),
            Self::Signature(error) => error.kind(),
            Self::Cache(error) => error.kind(),
            Self::Nix { .. } => Kind::Source,
            Self::NotABuildSeed { .. }
            | Self::Image { .. }
            | Self::Registration { .. }
            | Self::Directory { .. } => Kind::Failed,
        }
    }
}
