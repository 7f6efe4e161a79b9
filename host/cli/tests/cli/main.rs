//! Tests of the real binary, and of the documentation against the sources. Hermetic: no network, no Nix.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod command;
mod documentation;
#[cfg(target_os = "linux")]
mod interrupt;
mod run;
mod support;
