//! Why an image cannot be read.

use crate::document::DocumentError;
use crate::location::{LocationError, UnpackError};

/// An image that cannot be read, or is not what it says.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Something cannot be read.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// A document does not have its form, or contradicts another.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A layer cannot be read, or is not what it should be.
    #[error(transparent)]
    Layer(#[from] UnpackError),
}
