//! The pipeline file, the lock, the caches and the driver of the stages.

mod cache;
mod engine;
mod error;
pub mod events;
pub mod pipeline;
mod problem;
mod suggest;
pub mod summary;

pub use cache::{CACHE_VARIABLE, default_cache_directory};
pub use engine::{Engine, EngineOptions, Passwords, RunOptions};
pub use error::{Category, EngineError};
pub use pipeline::Pipeline;
pub use problem::{Problem, Problems, SourceFile};
