//! `seed.lock`: which plugins a pipeline ran with, what they may reach, and that this stays so; and what was published.
//!
//! A run without `--locked` writes what it used. With `--locked`, any needed change is an error. Where `CI` is set,
//! plugins from files and registries must be locked or pinned in the pipeline file even without `--locked`;
//! builtins are part of the program and only noted.
//!
//! The plugins are written before anything is built. What was published is written once, after the images of all of the
//! pipeline's systems are where they belong; `--locked` leaves it alone.

mod changes;
mod check;
mod file;
mod policy;
mod seeds;
#[cfg(test)]
mod tests;

pub(crate) use check::Lock;
pub use check::LockError;
pub use file::{LockFile, LockFileError, LockedPlugin, lock_path};
pub(crate) use policy::Policy;
pub use seeds::{LockedPublication, LockedSeed, LockedSeeds};
