//! Why a layer cannot be put together.

use crate::codec::CodecError;
use crate::nar::NarError;

/// Contents of a layer that do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// Two inputs want the same name.
    #[error("both {first} and {second} contain `/{}`", path.escape_debug())]
    Conflict {
        /// The path in the image, without a leading slash.
        path: String,
        /// What had it first.
        first: String,
        /// What wants it too.
        second: String,
    },
    /// A path that cannot be in an image.
    #[error("{owner} has an invalid path `{}`: {reason}", path.escape_debug())]
    Path {
        /// What has the path.
        owner: String,
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A directory for the image's root cannot be listed.
    #[error(transparent)]
    Nar(#[from] NarError),
    /// The codec cannot be used.
    #[error(transparent)]
    Codec(#[from] CodecError),
}
