//! The pipeline file, the lock, the caches and the driver of the stages.

// Numbers from outside are added up with a limit, or the sum is checked.
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
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
mod check;
mod commands;
mod config;
mod engine;
mod error_chain;
pub mod events;
#[doc(hidden)]
pub mod fuzzing;
mod layer_lock;
mod limits;
pub mod lock;
pub mod pipeline;
mod plugins;
mod prepare;
mod record;
mod release;
mod rules;
mod secrets;
mod session;
mod signatures;
mod source;
mod stage_cache;
mod stages;
mod suggest;
pub mod summary;
mod tag_drift;
#[cfg(test)]
mod testing;
mod usage;

pub use commands::cache_pull::{PullOptions, Trust};
pub use commands::exec::{ContainerEngine, ExecOptions};
pub use commands::index::IndexOptions;
pub use commands::init::InitOptions;
pub use commands::inspect::InspectOptions;
pub use commands::plan::PlanOptions;
pub use commands::plugin_inspect::PluginInspectOptions;
pub use commands::run::RunOptions;
pub use commands::verify::VerifyOptions;
pub use commands::why_depends::WhyOptions;
pub use engine::Engine;
pub use pipeline::Pipeline;
pub use seed_process::Environment;
pub use seed_runtime::CompileJob;
pub use session::{EngineOptions, Passwords};
