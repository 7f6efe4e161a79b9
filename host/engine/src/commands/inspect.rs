//! `seed inspect`: what an image holds, wherever it is. Needs no cache.

use miette::Diagnostic;
use seed_oci::ImageError;
use seed_oci::inspect;
use seed_oci::location::{Reference, ReferenceError};
use seed_report::{Error, Kind, Report};

use crate::session::Session;
use crate::suggest::path_instead;
use crate::summary::SCHEMA;
use crate::summary::inspect::InspectSummary;

/// An image that cannot be inspected.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum InspectError {
    /// The text names no image.
    #[error(transparent)]
    #[diagnostic(code("seed::inspect::reference"))]
    Reference(#[from] ReferenceError),
    /// It cannot be read, or is not what it says.
    #[error("cannot inspect `{reference}`")]
    #[diagnostic(code("seed::inspect::failed"))]
    Failed {
        reference: String,
        #[help]
        help: Option<String>,
        source: Box<ImageError>,
    },
}

impl Report for InspectError {
    fn kind(&self) -> Kind {
        match self {
            Self::Reference(_) => Kind::Usage,
            Self::Failed { .. } => Kind::Failed,
        }
    }
}

/// What to inspect.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    /// The image (`docs/references.md`).
    pub reference: String,
    /// How many of the largest paths to find; no layer is read for 0.
    pub largest: usize,
}

/// Looks at an image. A registry that asks for a login gets the user's.
pub(crate) fn inspect(session: &Session, options: &InspectOptions) -> Result<InspectSummary, Error> {
    let reference = Reference::find(&options.reference).map_err(InspectError::from)?;
    let wanted = inspect::InspectOptions { largest: options.largest, ..inspect::InspectOptions::default() };
    let image = session
        .open(&reference)
        .map_err(ImageError::from)
        .and_then(|location| inspect::inspect(location.as_ref(), &wanted))
        .map_err(|error| InspectError::Failed {
            reference: options.reference.clone(),
            help: path_instead(&options.reference),
            source: Box::new(error),
        })?;
    Ok(InspectSummary { schema: SCHEMA, image })
}
