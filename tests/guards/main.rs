//! Promises that hold for the whole repository, checked by reading its files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod copies;
mod error_codes;
mod imports;
mod links;
mod lints;
mod modules;
mod named_tests;
mod paths;
mod repository;
mod workspace;
