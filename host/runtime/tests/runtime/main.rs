//! Runs components, most of them hostile. Each is written as WebAssembly text, so no toolchain is needed.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod aot;
mod blobs;
mod capabilities;
mod compatibility;
mod host_work;
mod layer_lock;
mod limits;
mod memory;
mod plugins;
mod refused;
mod support;
mod wasi;

use seed_tests::guest;
