//! Why images cannot be composed to an index.

use std::path::PathBuf;

use miette::Diagnostic;
use seed_model::Digest;
use seed_oci::StoreError;
use seed_oci::document::DocumentError;
use seed_oci::location::{LocationError, ReferenceError};
use seed_report::{Kind, Report};

use crate::stages::SignError;

/// Records that do not fit together, or images that are not where and what they should be. Nothing was published.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum IndexError {
    /// Another image's record.
    #[error("the record {} describes the image `{found}`, but this pipeline makes `{expected}`", path.display())]
    #[diagnostic(code("seed::index::name"), help("pass the records of this pipeline's runs"))]
    Name {
        path: PathBuf,
        /// Its image.
        found: String,
        /// The pipeline's image.
        expected: String,
    },
    /// A record of another run.
    #[error("the record {} is of the run {}, expected {}", path.display(), found.escape_debug(), expected.escape_debug())]
    #[diagnostic(
        code("seed::index::run"),
        help(
            "pass the same `--run` to `seed run --record` and to `seed index`, and the records of this run only"
        )
    )]
    Run {
        path: PathBuf,
        /// What the record says.
        found: String,
        expected: String,
    },
    /// A record without the signature of a signing plugin.
    #[error("the record {} is not signed by the plugin `{plugin}` of [[sign]]", path.display())]
    #[diagnostic(
        code("seed::index::unsigned"),
        help("run again for that system with `--record`, with the same pipeline file")
    )]
    Unsigned { path: PathBuf, plugin: String },
    /// A record that was changed after it was signed.
    #[error("the record {} was changed after it was signed, or signed with another key", path.display())]
    #[diagnostic(
        code("seed::index::signature"),
        help(
            "do not use the record: run again for that system with `--record`, and find out who changed it"
        )
    )]
    Signature { path: PathBuf, source: Box<SignError> },
    /// A system that the pipeline does not have.
    #[error("the record {} is for {system}, which is not one of the pipeline's systems", path.display())]
    #[diagnostic(code("seed::index::system"))]
    System {
        path: PathBuf,
        system: String,
        #[help]
        help: String,
    },
    /// Two records of one system.
    #[error("two records are for {system}: {} and {}", first.display(), second.display())]
    #[diagnostic(code("seed::index::twice"), help("an index has one image per system: leave one out"))]
    Twice {
        system: String,
        /// One record.
        first: PathBuf,
        second: PathBuf,
    },
    /// Systems of the pipeline without a record.
    #[error("no record for {}", systems.join(", "))]
    #[diagnostic(code("seed::index::no-record"))]
    NoRecord {
        systems: Vec<String>,
        #[help]
        help: String,
    },
    /// Records of different sources.
    #[error(
        "the records come from different commits: {} has {first_commit}, {} has {second_commit}",
        first.display(),
        second.display()
    )]
    #[diagnostic(code("seed::index::source"), help("run all systems from the same commit"))]
    Source {
        /// One record.
        first: PathBuf,
        first_commit: String,
        /// Another record.
        second: PathBuf,
        second_commit: String,
    },
    /// A run that used another plugin.
    #[error(
        "the run of {} used another {stage} plugin than this pipeline, `{plugin}`\n  recorded: \
         {recorded}\n  here:     {here}",
        path.display()
    )]
    #[diagnostic(
        code("seed::index::plugin"),
        help("run all systems with the same pipeline file, `seed.lock` and `seed`")
    )]
    Plugin {
        path: PathBuf,
        stage: &'static str,
        /// The plugin of this pipeline.
        plugin: String,
        /// What the record has.
        recorded: String,
        /// What would run here.
        here: Digest,
    },
    /// An image that is not there.
    #[error("{place} lacks the image {digest}, which {} records for {system}", path.display())]
    #[diagnostic(code("seed::index::missing"))]
    Missing {
        /// The repository, or the cache.
        place: String,
        digest: Digest,
        system: String,
        path: PathBuf,
        #[help]
        help: String,
    },
    /// An image that is not what its record says.
    #[error("the image {digest} in {place} does not match {}: {reason}", path.display())]
    #[diagnostic(code("seed::index::changed"), help("run again for that system with `--record`"))]
    Changed {
        /// The repository, or the cache.
        place: String,
        digest: Digest,
        path: PathBuf,
        /// What is different.
        reason: String,
    },
    /// A publisher named something that is no repository.
    #[error(transparent)]
    #[diagnostic(code("seed::index::reference"))]
    Reference(#[from] ReferenceError),
    /// A place cannot be read.
    #[error("cannot read the image {digest} from {place}")]
    #[diagnostic(code("seed::index::unreadable"))]
    Unreadable { place: String, digest: Digest, source: LocationError },
    /// The cache failed.
    #[error("the cache failed")]
    #[diagnostic(code("seed::cache::failed"))]
    Store(#[from] StoreError),
    /// An image's documents are wrong.
    #[error("cannot add the image {digest} for {system} to an index")]
    #[diagnostic(code("seed::index::image"), help("run again for that system with `--record`"))]
    Image { digest: Digest, system: String, source: DocumentError },
}

impl Report for IndexError {
    fn kind(&self) -> Kind {
        match self {
            Self::Signature { .. } | Self::Unsigned { .. } => Kind::Signature,
            Self::Name { .. }
            | Self::Run { .. }
            | Self::System { .. }
            | Self::Twice { .. }
            | Self::NoRecord { .. }
            | Self::Source { .. }
            | Self::Plugin { .. } => Kind::Usage,
            Self::Missing { .. }
            | Self::Changed { .. }
            | Self::Reference(_)
            | Self::Unreadable { .. }
            | Self::Image { .. } => Kind::Publish,
            Self::Store(_) => Kind::Failed,
        }
    }
}
