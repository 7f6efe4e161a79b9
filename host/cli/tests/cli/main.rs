//! Tests of the real binary. Hermetic: no network, no Nix.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

mod command;
#[cfg(target_os = "linux")]
mod interrupt;
mod run;
