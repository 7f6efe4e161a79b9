//! Images that break a rule.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use seed_model::{ByteSize, Chain};
use seed_oci::NarError;
use seed_report::{Kind, Report};

/// How many paths an error shows: more would bury the first ones.
const SHOWN: usize = 10;

/// Why an image is refused.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum RuleError {
    /// It is too large.
    #[error(
        "the image for {system} would have {total} in {} before compression; `max-size` allows \
         {limit}\nthe largest:{offenders}",
        paths(offenders.0.len())
    )]
    #[diagnostic(
        code("seed::rules::max-size"),
        help(
            "below each path is the reference chain that leads to it: remove a reference that you do not \
             need, or raise `max-size`"
        )
    )]
    Size {
        system: String,
        /// The sum of the NAR sizes.
        total: ByteSize,
        /// What is allowed.
        limit: ByteSize,
        /// All paths, largest first.
        offenders: Offenders,
        #[source_code]
        file: NamedSource<Arc<str>>,
        /// The place of the limit.
        #[label("the limit")]
        place: SourceSpan,
    },
    /// It holds what the pipeline file forbids.
    #[error("the image for {system} would contain forbidden paths:{offenders}")]
    #[diagnostic(
        code("seed::rules::forbidden"),
        help(
            "in each chain, the last path but one holds the reference: build it without the reference, or \
             allow the path"
        )
    )]
    Forbidden {
        system: String,
        /// The forbidden paths.
        offenders: Offenders,
        #[source_code]
        file: NamedSource<Arc<str>>,
        /// The places of the rules that are broken.
        #[label(collection, "forbidden here")]
        places: Vec<SourceSpan>,
    },
    /// It holds content of Apple's SDKs.
    #[error(
        "the image for {system} would contain parts of Apple's SDKs, whose licence restricts \
         redistribution:{offenders}"
    )]
    #[diagnostic(
        code("seed::rules::apple-sdk"),
        help(
            "in each chain, the last path but one holds the reference: build it without the reference. If \
             you are allowed to redistribute the content, give the reason, which the image \
             records:\n\n[legal]\napple-sdk = \"…\""
        )
    )]
    AppleSdk {
        system: String,
        /// What is of Apple's SDKs.
        offenders: Offenders,
    },
    /// The files of a path cannot be listed.
    #[error("cannot read the files of `{store_path}`")]
    #[diagnostic(code("seed::rules::unreadable"))]
    Unreadable { store_path: String, source: NarError },
}

impl Report for RuleError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreadable { .. } => Kind::Source,
            Self::Size { .. } | Self::Forbidden { .. } | Self::AppleSdk { .. } => Kind::Rule,
        }
    }
}

fn paths(count: usize) -> String {
    if count == 1 { "1 path".to_owned() } else { format!("{count} paths") }
}

/// A path that breaks a rule.
#[derive(Clone, Debug)]
pub(crate) struct Offender {
    pub store_path: String,
    /// What is the matter with it.
    pub reason: String,
    /// By which references it is in the image.
    pub chain: Option<Chain>,
}

/// Paths that break a rule; their text has two indented lines for each of the first ones.
#[derive(Clone, Debug)]
pub(crate) struct Offenders(pub Vec<Offender>);

impl fmt::Display for Offenders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Offender { store_path, reason, chain } in self.0.iter().take(SHOWN) {
            write!(f, "\n  {store_path}, {reason}")?;
            if let Some(chain) = chain {
                write!(f, "\n    {chain}")?;
            }
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
