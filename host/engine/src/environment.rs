//! What the environment of the process says. Nothing in this crate reads it by itself: whoever makes the engine hands
//! it down.

use std::ffi::OsString;
use std::fmt;

/// Looks up variables of the environment when they are needed: a secret is not kept before somebody asks for it.
pub trait Environment: Send + Sync + fmt::Debug {
    /// The value of the variable `name`; none where it is not set.
    fn variable(&self, name: &str) -> Option<OsString>;
}
