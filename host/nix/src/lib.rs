//! Runs Nix and reads what it says: evaluation, builds with progress, closures.
//!
//! Works with Nix 2.8 and later. Where a classic command exists its output is the same in all of them, so
//! `nix-store` builds and reads the store, and the new command line is used for flakes only. All calls block;
//! one [`Nix`] may be used from several threads.
//!
//! ```no_run
//! # use seed_nix::{Nix, NixOptions};
//! # fn example(launcher: &seed_process::Launcher) -> Result<(), seed_nix::NixError> {
//! let nix = Nix::find(NixOptions::locate(launcher))?;
//! let quiet = |_: &seed_nix::Event| {};
//! let flake = nix.flake(".", std::path::Path::new("."), &quiet)?;
//! let outputs = nix.outputs(&flake, "x86_64-linux", "seed", &quiet)?; // base, library, apps, …
//! # Ok(()) }
//! ```
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

mod attribute;
mod cause;
mod child;
mod closure;
mod command;
mod derivation;
mod error;
mod eval;
mod evaluate;
mod events;
mod flake;
#[doc(hidden)]
pub mod fuzzing;
mod graph;
mod hash;
mod import;
mod inputs;
mod log_reader;
mod log_record;
mod nix;
mod packages;
mod realise;
#[cfg(test)]
mod recorded;
mod settings;
mod text;
mod version;

pub use derivation::Target;
pub use error::NixError;
pub use evaluate::Evaluated;
pub use events::{Event, Observer};
pub use flake::FlakeInfo;
pub use graph::{Graph, GraphError};
pub use import::Import;
pub use nix::{EVALUATION_TIME, Nix, NixOptions};
pub use realise::Realised;
pub use settings::Settings;
pub use version::Version;
