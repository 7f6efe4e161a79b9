//! Starts programs, each with the variables that its kind needs and never a secret.
//!
//! [`Launcher::command`] is the only place that makes a command. Its environment begins empty: [`Program::variables`] lists
//! what each kind of program gets, a pipeline file may add names, and nothing that a key or a secret is read from is
//! passed on. This matters most for Nix: without a daemon, a fixed-output derivation can read any variable of the `nix`
//! process with `impureEnvVars`, and it has the network.
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests fail by panicking"))]

mod environment;
mod launcher;
mod program;

pub use environment::{Environment, Variables};
pub use launcher::Launcher;
pub use program::{ACTION_SECRETS, Program};
