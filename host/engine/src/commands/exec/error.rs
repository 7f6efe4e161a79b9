//! Why no command can be run in the locked seed.

use std::io;
use std::path::PathBuf;

use miette::Diagnostic;
use seed_model::Digest;
use seed_oci::StoreError;
use seed_oci::document::DocumentError;
use seed_oci::files::FilesError;
use seed_oci::location::LocationError;
use seed_report::{Kind, Report};

/// Why the locked seed cannot be run.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum ExecError {
    /// Nothing is locked.
    #[error("no published image in {}", path.display())]
    #[diagnostic(
        code("seed::exec::not-locked"),
        help(
            "publish all of the pipeline's systems: `seed run` without `--locked`, or `seed index`, then \
             records the image"
        )
    )]
    NotLocked { path: PathBuf },
    /// Nothing is locked for this system.
    #[error("no image for {system} in {}", path.display())]
    #[diagnostic(code("seed::exec::system"), help("it lists images for {}; choose one with `--system`", known.join(", ")))]
    System {
        path: PathBuf,
        system: String,
        /// Systems that it has.
        known: Vec<String>,
    },
    /// A system whose images are not for containers.
    #[error("container engines cannot run images for {system}: they only carry outputs")]
    #[diagnostic(code("seed::exec::no-containers"), help("choose a Linux system with `--system`"))]
    NoContainers { system: String },
    /// No container engine works.
    #[error("no working container engine\n{}", tried.join("\n"))]
    #[diagnostic(code("seed::exec::no-engine"), help("install Docker or Podman, or start its service"))]
    NoEngine {
        /// What was tried, and why it did not work.
        tried: Vec<String>,
    },
    /// The image is nowhere.
    #[error("the locked image {digest} is no longer where it was published\n{}", tried.join("\n"))]
    #[diagnostic(
        code("seed::exec::gone"),
        help("run `seed run` to publish and lock an image again; older lock files are in git")
    )]
    Gone {
        digest: Digest,
        /// Each place, and what is there.
        tried: Vec<String>,
    },
    /// The image's blobs cannot be read.
    #[error("cannot read the locked image {digest} from {place}")]
    #[diagnostic(
        code("seed::exec::unreadable"),
        help(
            "if this is a file or directory that the pipeline wrote, remove it: `seed exec` then tries the next place, \
             and `seed run` writes it again"
        )
    )]
    Unreadable {
        digest: Digest,
        /// Where it was found.
        place: String,
        source: LocationError,
    },
    /// The image's documents are wrong.
    #[error("cannot run the locked image {digest}")]
    #[diagnostic(code("seed::exec::image"))]
    Image { digest: Digest, source: DocumentError },
    /// The container engine did not do what it was asked.
    #[error("`{command}` failed: {output}")]
    #[diagnostic(code("seed::exec::engine"))]
    Engine {
        /// The command line, shortened.
        command: String,
        /// The end of what it wrote.
        output: String,
    },
    /// The container engine could not be started.
    #[error("cannot run `{command}`")]
    #[diagnostic(code("seed::exec::engine"))]
    Start {
        /// The command line, shortened.
        command: String,
        source: io::Error,
    },
    /// The image could not be handed over.
    #[error("cannot load the image into {engine}")]
    #[diagnostic(code("seed::exec::load"))]
    Load {
        /// The container engine.
        engine: &'static str,
        source: FilesError,
    },
    /// The cache failed.
    #[error("the cache failed")]
    #[diagnostic(code("seed::cache::failed"))]
    Store(#[from] StoreError),
}

impl Report for ExecError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotLocked { .. } | Self::System { .. } | Self::Gone { .. } => Kind::Pin,
            Self::NoContainers { .. } => Kind::Usage,
            Self::NoEngine { .. }
            | Self::Unreadable { .. }
            | Self::Image { .. }
            | Self::Engine { .. }
            | Self::Start { .. }
            | Self::Load { .. }
            | Self::Store(_) => Kind::Failed,
        }
    }
}
