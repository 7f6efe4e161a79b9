//! From the pipeline file's `plugin = "…"` to a component that is checked, compiled and described.

mod builtin;
mod bytes;
mod registry;
mod resolve;

pub use bytes::PluginBytesError;
pub(crate) use bytes::{Places, find};
pub use resolve::PluginError;
pub(crate) use resolve::{ResolvedPlugin, resolve};
