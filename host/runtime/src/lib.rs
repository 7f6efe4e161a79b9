//! Runs the stages' components in wasmtime: engines, limits, capabilities, cache of compiled components.
//!
//! [`Runtime::load`] makes a [`Plugin`] of a component's bytes; its methods are the functions of the contract in
//! `wit/`. What a call may reach is in its [`capabilities::Capabilities`], what it may use in [`Limits`].

// Numbers from outside are added up with a limit, or the sum is checked.
#![warn(clippy::arithmetic_side_effects)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::disallowed_methods,
        clippy::unwrap_used,
        reason = "tests fail by panicking"
    )
)]

mod aot;
mod call;
pub mod capabilities;
mod compile;
mod description;
mod engine;
mod error;
mod failure;
mod imports;
mod inspect;
mod limits;
mod log;
mod plugin;
mod runtime;
mod state;
mod text;
mod v0_1;
mod wasi;
mod wasi_context;

pub use compile::CompileJob;
pub use description::Description;
pub use error::{ExitStatus, Failure, Identity, InvalidOutput, LoadError, PluginError, RuntimeError};
pub use inspect::{CONTRACT, ComponentError, Inspection, inspect};
pub use limits::{Limit, LimitExceeded, Limits};
pub use plugin::{Origin, Plugin};
pub use runtime::{Options, Runtime};
