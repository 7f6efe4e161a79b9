//! Why an image cannot be inspected.

use crate::document::DocumentError;
use crate::location::{LocationError, UnpackError};

/// An image that cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// Something cannot be read.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// A document does not have its form.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A layer cannot be read, or is not what it should be.
    #[error(transparent)]
    Layer(#[from] UnpackError),
}
