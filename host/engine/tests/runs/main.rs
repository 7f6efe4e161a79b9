//! Whole runs with the builtin plugins.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod directories;
mod errors;
mod hostile_packer;
mod hostile_publisher;
mod hostile_selector;
mod hostile_signer;
mod packer_case;
mod rules;
mod support;
