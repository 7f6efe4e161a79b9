//! How an error looks to the people and the machines that read it.
//!
//! An error type implements [`Report`] in the file that defines it: a message, a code, help and a place come from
//! [`miette::Diagnostic`], and [`Kind`] says what kind of failure it is. [`Error`] carries any such error upwards. The
//! command line turns a `Kind` into an exit code, and shows errors with [`text`] or [`json`].
//!
//! [`visible`] is the way for text that others wrote (files, registries, plugins) to reach a terminal.

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking"))]

mod error;
pub mod json;
mod kind;
mod place;
mod problem;
pub mod style;
#[cfg(test)]
mod testing;
pub mod text;
pub mod visible;

pub use error::{Error, Report};
pub use kind::Kind;
pub use place::Place;
pub use problem::{Problem, Problems, SourceFile};
