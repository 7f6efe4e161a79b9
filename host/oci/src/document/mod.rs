//! OCI documents: manifests, indexes, configurations. Nothing else reads or writes them.
//!
//! [`STRICT`] takes what this tool makes, signs and runs. [`LENIENT`] differs from it in two things only, for images
//! and artifacts that others made. Everything written here is canonical JSON (RFC 8785), so that equal content has
//! equal bytes.

mod canonical;
mod config;
mod descriptor;
mod error;
mod image;
mod index;
pub mod media_type;
mod planned;
mod reader;

#[cfg(test)]
mod tests;

pub use canonical::canonical_json;
pub(crate) use config::{Configuration, Details};
pub use error::DocumentError;
pub use image::{read_image, stored_manifest};
pub(crate) use index::MAX_IMAGES;
pub use index::{Index, make_index};
pub use planned::{Planned, check_image};
pub use reader::{LENIENT, MAX_DOCUMENT, ManifestOrIndex, Reader, STRICT, descriptor_of};
pub(crate) use reader::{identify, read_listing};
