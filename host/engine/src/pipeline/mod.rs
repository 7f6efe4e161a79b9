//! The pipeline file, `pipeline.toml`: what to build, which plugins decide, and what they may reach.
//!
//! `docs/pipeline.md` is the reference for users. Each unknown key, wrong type and impossible value is a
//! [`Problem`](crate::Problem) with its place in the file, and as many as possible are found at once.

mod build_seed;
mod closure;
mod legal;
mod load;
mod model;
mod parse;
mod plugin;
mod reader;
mod rules;
mod seed;
mod source;
#[cfg(test)]
mod tests;
mod vault;

pub use load::LoadError;
pub use model::{
    BuildSeed, ClosureFiles, Config, Flake, Forbid, Grants, Group, KeySource, LayerDirectory, LayerPaths,
    Legal, Pipeline, PluginSource, PluginUse, SecretSource, Seed, Source, Stage,
};
