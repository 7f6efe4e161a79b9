//! The caches. Everything here can be deleted at any time; nothing but time is lost.
//!
//! | path         | holds                                                                     | named by |
//! |--------------|---------------------------------------------------------------------------|----------|
//! | `blobs/`     | layers, image documents, signatures, components from registries           | their digest |
//! | `frames/`    | compressed frames of single store paths                                   | NAR hash, entry rules, codec |
//! | `layers/`    | which blob a layer became                                                 | layer key |
//! | `key`        | the key of this user that records and compiled plugins are authenticated with | |
//! | `aot/`       | compiled plugins                                                          | component digest, wasmtime version, target |
//! | `pull-*/`    | store paths on their way to Nix, while they are pulled                   | nothing |
//! | `stages/`    | results of the selection stage, which is a pure function                  | component, input, contract |

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::Diagnostic;
use seed_disk::{CacheDirectory, DiskError};
use seed_oci::{BlobStore, PackError, Packer, StoreError};
use seed_process::Launcher;
use seed_report::{Kind, Report};

use crate::stage_cache::StageCache;

/// Names a directory for all caches.
const VARIABLE: &str = "SEED_CACHE_DIR";

/// Why there is no cache.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum CacheError {
    /// No variable says where caches belong.
    #[error("no cache directory: neither `HOME` nor `XDG_CACHE_HOME` is set")]
    #[diagnostic(code("seed::cli::no-cache-directory"), help("set `--cache-dir DIR` or `SEED_CACHE_DIR`"))]
    NoDirectory,
    /// It cannot be used.
    #[error("cannot use the cache at {}", path.display())]
    #[diagnostic(code("seed::cache::unusable"))]
    Unusable {
        path: PathBuf,
        source: Fault,
        #[help]
        help: String,
    },
}

impl Report for CacheError {
    fn kind(&self) -> Kind {
        Kind::Failed
    }
}

/// What is the matter with a cache.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The directory cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The blob store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The packer cannot start.
    #[error(transparent)]
    Pack(#[from] PackError),
}

impl Fault {
    fn help(&self) -> Option<String> {
        match self {
            Self::Disk(error) => error.help().map(str::to_owned),
            Self::Store(error) => error.help().map(str::to_owned),
            Self::Pack(error) => error.help().map(str::to_owned),
        }
    }
}

/// The caches, open.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: CacheDirectory,
    pub(crate) store: BlobStore,
    pub(crate) packer: Arc<Packer>,
    pub(crate) stages: StageCache,
}

impl Cache {
    /// Opens the caches in `directory`, which is made where it is missing. Packing takes as many `threads`, or one per
    /// processor.
    pub(crate) fn open(directory: &Path, threads: Option<NonZero<usize>>) -> Result<Self, CacheError> {
        let open = || {
            let directory = CacheDirectory::open(directory)?;
            let store = BlobStore::within(directory.clone())?;
            let packer = Arc::new(Packer::new(store.clone(), threads)?);
            let stages = StageCache::open(&store)?;
            Ok::<_, Fault>(Self { directory, store, packer, stages })
        };
        open().map_err(|source| CacheError::Unusable {
            path: directory.to_owned(),
            help: source.help().unwrap_or_else(|| format!("set {VARIABLE} to another directory")),
            source,
        })
    }

    /// Where compiled plugins are kept.
    pub(crate) fn compiled_plugins(&self) -> Result<CacheDirectory, DiskError> {
        self.directory.directory("aot")
    }
}

/// `$SEED_CACHE_DIR`, or `seed` in `$XDG_CACHE_HOME`, or `~/.cache/seed`; none where no variable says where home is.
/// Relative values of the XDG variable are ignored, as its specification asks.
pub(crate) fn default_directory(launcher: &Launcher) -> Option<PathBuf> {
    let variable = |name| launcher.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable(VARIABLE)
        .or_else(|| {
            variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).map(|path| path.join("seed"))
        })
        .or_else(|| variable("HOME").map(|home| home.join(".cache/seed")))
}
