//! Writes the user's files for publishing plugins (`publishing.wit`, interface `files`): a directory of exactly
//! these files, or one tar of them. The caller has decided that the plugin may write there.
//!
//! A file gets its name only when all its bytes are on disk. Inside a directory every name is opened from its
//! parent's descriptor without following links, so nothing in it can lead a write elsewhere.

mod archive;
mod content;
mod directory;
mod error;
mod names;
mod target;

pub use archive::{stream_tar, write_tar};
pub use directory::write_directory;
pub use error::FilesError;
pub use target::Target;
