//! End-to-end tests against other people's programs, which `cargo xtask test` installs.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod action;
mod bad_flake;
mod build_seed;
mod console;
mod cosign;
mod custom_signer;
mod disk_full;
mod docker;
mod examples;
mod exec;
mod flake;
mod hello;
mod layer_lock;
mod musl;
mod nix_versions;
mod registry;
mod rules;
mod secrets;
mod systems;
mod umoci;
mod users;
