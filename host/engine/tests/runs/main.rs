//! Whole runs with the builtin plugins.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking")]

mod directories;
mod errors;
mod rules;
mod support;
