//! `seed.lock`: which plugins a pipeline ran with, what they may reach, and that this stays so.
//!
//! A run without `--locked` writes what it used. With `--locked`, any needed change is an error. Where `CI` is set,
//! plugins from files and registries must be locked or pinned in the pipeline file even without `--locked`;
//! builtins are part of the program and only noted.

mod check;
mod file;

pub use check::LockError;
pub(crate) use check::{Lock, Policy};
pub use file::{LockFile, LockFileError, LockedPlugin, lock_path};
