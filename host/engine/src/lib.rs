//! The pipeline file, the lock, the caches and the driver of the stages.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::unwrap_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )
)]
#![allow(
    clippy::result_large_err,
    reason = "an error ends the command: it is made once, and quotes the pipeline file"
)]

mod cache;
mod capabilities;
mod causes;
mod check;
pub mod commands;
mod config;
mod durable;
mod engine;
mod error;
pub mod events;
mod limits;
pub mod lock;
mod moved;
pub mod pin;
pub mod pipeline;
pub mod plugins;
mod prepare;
mod problem;
pub mod record;
mod release;
mod rules;
pub mod source;
mod stage_cache;
mod stages;
mod suggest;
pub mod summary;
#[cfg(test)]
mod testing;
mod vault;

pub use cache::{CACHE_VARIABLE, default_cache_directory};
pub use commands::exec::{ContainerEngine, ExecError, ExecOptions};
pub use commands::index::{IndexError, IndexOptions};
pub use commands::{cache_pull as pull, inspect, verify};
pub use engine::{Engine, EngineOptions, Passwords, RunOptions};
pub use error::{Category, EngineError, ErrorKind};
pub use pipeline::Pipeline;
pub use problem::{Problem, Problems, SourceFile};
pub use rules::{Offender, Offenders, RuleError};
