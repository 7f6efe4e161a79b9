//! `seed verify`: an image is whole, and each of the given keys has signed it. Needs no cache.

use std::path::PathBuf;

use miette::Diagnostic;
use seed_model::Descriptor;
use seed_oci::ImageError;
use seed_oci::location::{ContentLimits, Reference, ReferenceError};
use seed_oci::verify::verify_image;
use seed_report::{Error, Kind, Report};

use crate::session::Session;
use crate::signatures;
use crate::suggest::path_instead;
use crate::summary::SCHEMA;
use crate::summary::verify::VerifySummary;

/// What to verify.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The image (`docs/references.md`).
    pub reference: String,
    /// Files of public keys, each of which must have signed.
    pub keys: Vec<PathBuf>,
}

/// Why an image is not verified.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum VerifyError {
    /// The text names no image.
    #[error(transparent)]
    #[diagnostic(code("seed::verify::reference"))]
    Reference(#[from] ReferenceError),
    /// The image cannot be read, or is not whole.
    #[error("cannot verify `{reference}`: the image is incomplete or unreadable")]
    #[diagnostic(code("seed::verify::image"))]
    Image {
        reference: String,
        #[help]
        help: String,
        source: Box<ImageError>,
    },
}

impl Report for VerifyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Reference(_) => Kind::Usage,
            Self::Image { .. } => Kind::Failed,
        }
    }
}

/// Verifies an image: all of it is read and checked, and each of the keys must have signed its manifest or index. A
/// registry that asks for a login gets the user's. Nothing but that registry is asked.
pub(crate) fn verify(session: &Session, options: &VerifyOptions) -> Result<VerifySummary, Error> {
    let reference = &options.reference;
    let parsed = Reference::find(reference).map_err(VerifyError::from)?;
    let keys = signatures::read_keys(&options.keys)?;
    let image_error = |error: ImageError| VerifyError::Image {
        reference: reference.clone(),
        help: path_instead(reference).unwrap_or_else(|| "do not trust anything in it".to_owned()),
        source: Box::new(error),
    };
    let location = session.open(&parsed).map_err(|error| image_error(error.into()))?;
    let image = verify_image(location.as_ref(), &ContentLimits::default()).map_err(image_error)?;
    let subject = Descriptor::new(&image.media_type, image.digest, image.size);
    let (keys, not_counted) = signatures::signed(location.as_ref(), reference, &subject, &keys)?;
    Ok(VerifySummary { schema: SCHEMA, image, keys, not_counted })
}
