//! End-to-end tests that need nothing but `seed` itself.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod bad_input;
mod bad_registry;
mod console;
mod damage;
mod determinism;
mod environment;
mod kill;
mod limits;
mod records;
mod references;
mod schemas;
mod systems;
mod trace;
mod verify;
mod workflows;
