//! The pipeline file, the lock, the caches and the driver of the stages.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests fail by panicking"))]

mod cache;
mod config;
mod durable;
mod engine;
mod error;
pub mod events;
pub mod inspect;
pub mod lock;
pub mod pipeline;
mod problem;
mod suggest;
pub mod summary;
#[cfg(test)]
mod testing;

pub use cache::{CACHE_VARIABLE, default_cache_directory};
pub use engine::{Engine, EngineOptions, Passwords, RunOptions};
pub use error::{Category, EngineError};
pub use pipeline::Pipeline;
pub use problem::{Problem, Problems, SourceFile};
