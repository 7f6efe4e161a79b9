//! What the tests of the command and of the engine share: an environment of its own per test, the `seed` program, the peers.
//!
//! `tests/hermetic` needs nothing but `seed`; `tests/e2e` needs the peers that `cargo xtask test` installs. One file
//! per topic in each. Both belong to the package `seed`, for which cargo builds the program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::return_self_not_must_use, reason = "`ok` and `failed` are assertions")]

mod authority;
mod build_seed;
pub mod console;
mod docker;
mod environment;
mod gate;
pub mod guest;
mod hostile;
mod layout;
pub mod markdown;
mod nixpkgs;
mod peak;
mod peers;
mod program;
mod registry;
mod repository;
mod run;
mod runner;
pub mod scripted;
mod server;
mod strict;
mod table;

pub use authority::{Authority, Identity, Validity};
pub use build_seed::{build_seed_project, offline_nixpkgs};
pub use docker::Docker;
pub use environment::TestEnvironment;
pub use gate::{Gate, IDENTITY_TOKEN, PASSWORD, USER, answer_token_request, token_service};
pub use hostile::{Fault, HostileRegistry};
pub use layout::Layout;
pub use nixpkgs::{copy_project_flake, portable_program, stub_nixpkgs};
pub use peak::Peak;
pub use peers::{peer, version_of};
pub use program::seed_program;
pub use registry::{Registry, free_port};
pub use repository::repository;
pub use run::Run;
pub use runner::{Action, Job, read_yaml, runner_temp};
pub use server::{Received, Reply, Server};
pub use strict::with_unknown_keys;
pub use table::table;
