//! Where images are read from: OCI layouts, tar archives of them, registries.
//!
//! Whatever a location gives has been checked against the digest and the size that it was asked by.

mod access;
mod archive;
mod bounded;
mod docker;
mod entries;
mod entry;
mod error;
mod extended;
mod layout;
mod layout_files;
mod open;
mod reference;
mod registry;
mod same_images;
mod unpack;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use access::{Document, Location};
pub(crate) use entries::{Entries, Skip};
pub use entry::TarError;
pub(crate) use entry::{Entry, EntryType, names};
pub use error::LocationError;
pub use open::open;
pub use reference::{Form, PathReference, Reference, ReferenceError, RegistryReference, as_existing_path};
pub use registry::RegistryLocation;
pub(crate) use unpack::{ContentBudget, LANES, Unpacked, is_tar, read_layer};
pub use unpack::{ContentLimits, UnpackError};
