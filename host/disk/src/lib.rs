//! Discipline on disk, in one place: files that are whole or absent, removal of what killed runs left, bounded reads,
//! records that only this user can write, and directories that nobody else can write.
//!
//! There is one policy for what a killed run leaves. Whoever writes a file or uses a scratch directory holds a lock
//! (`flock`) on it, which ends with the process. What nobody holds was left behind, and the next run removes it. No clock
//! decides, so a slow writer is never robbed, and nothing stays for an hour.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking"))]

mod authenticator;
mod cache;
mod directory;
mod error;
mod file;
pub mod partial;
mod read;
mod records;
mod scratch;
#[cfg(test)]
mod tests;

pub use authenticator::{Authenticator, Code};
pub use cache::CacheDirectory;
pub use directory::Directory;
pub use error::{DiskError, NotPrivate};
pub use file::{create, parent, replace};
pub use partial::{PARTIAL, PARTIAL_SUFFIX, Partial};
pub use read::{bounded, bounded_text, read_bounded, read_bounded_text};
pub use records::Records;
pub use scratch::Scratch;
