//! The pipeline file, the lock, the caches and the driver of the stages.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking"))]
#![allow(
    clippy::result_large_err,
    reason = "an error ends the command: it is made once, and quotes the pipeline file"
)]

mod cache;
mod capabilities;
mod causes;
mod check;
mod config;
mod describe;
mod durable;
mod engine;
mod error;
pub mod events;
mod exec;
mod index;
mod init;
pub mod inspect;
mod limits;
pub mod lock;
mod moved;
pub mod pin;
pub mod pipeline;
mod plan;
pub mod plugins;
mod prepare;
mod problem;
pub mod pull;
pub mod record;
mod release;
mod rules;
mod run;
pub mod source;
mod stages;
mod suggest;
pub mod summary;
#[cfg(test)]
mod testing;
mod vault;
pub mod verify;
mod why;

pub use cache::{CACHE_VARIABLE, default_cache_directory};
pub use engine::{Engine, EngineOptions, Passwords, RunOptions};
pub use error::{Category, EngineError, ErrorKind};
pub use exec::{ContainerEngine, ExecError, ExecOptions};
pub use index::{IndexError, IndexOptions};
pub use pipeline::Pipeline;
pub use problem::{Problem, Problems, SourceFile};
pub use rules::{Offender, Offenders, RuleError};
