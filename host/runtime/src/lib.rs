//! Runs the stages' components in wasmtime: engines, limits, grants, AOT cache.

pub mod capabilities;
