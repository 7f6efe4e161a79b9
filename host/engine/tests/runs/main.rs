//! Whole runs with the builtin plugins.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod directories;
mod errors;
mod rules;
mod support;
