//! What an image consists of, for `seed inspect`: layers, the largest things in them, signatures that are attached.
//!
//! Nothing here says that an image is good: signatures are counted, not verified.

mod contents;
mod image;
mod signatures;
mod summary;

#[cfg(test)]
mod tests;

pub use image::inspect;
pub(crate) use signatures::MAX_REFERRERS;
pub use summary::{
    Artifact, Contents, InspectOptions, InspectedImage, InspectedLayer, Inspection, Signatures, SizedPath,
};

pub use crate::location::ContentLimits;
