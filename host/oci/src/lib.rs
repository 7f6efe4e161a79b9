//! The bytes of images: tar, compression, the blob store, image documents, and files that are written for the user.
// Numbers from outside are added up with a limit, or the sum is checked.
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::disallowed_methods,
        clippy::unwrap_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )
)]

mod codec;
mod compare;
mod contents;
pub mod document;
pub mod fetch;
pub mod files;
mod frames;
mod image_error;
pub mod inspect;
mod layer;
pub mod location;
mod nar;
mod pack;
mod pack_error;
mod pack_pipeline;
mod reader;
pub mod restore;
mod store;
mod tar;
mod tree;
pub mod verify;

#[cfg(test)]
mod tests;

pub use codec::{CodecError, codec_id};
pub use compare::{CompareError, can_read, compare_layer};
pub use contents::{ContentsError, check_hidden};
pub use image_error::ImageError;
pub use layer::{LayerSpec, PathSpec, share_directories};
pub use nar::{NarError, list_names, nar_digest};
pub use pack::{Origin, PackObserver, Packer};
pub use pack_error::PackError;
pub use store::{BlobStore, BlobWriter, StoreError};
pub use tree::TreeError;
