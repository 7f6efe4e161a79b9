//! From the pipeline file's `plugin = "…"` to a component that is checked, compiled and described.

mod builtin;
mod bytes;
mod registry;
mod resolve;

pub(crate) use bytes::{Places, find};
pub(crate) use resolve::ResolveError;
pub(crate) use resolve::{ResolvedPlugin, resolve};
