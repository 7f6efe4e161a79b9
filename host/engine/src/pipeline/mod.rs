//! The pipeline file, `pipeline.toml`: what to build, which plugins decide, and what they may reach.
//!
//! `docs/pipeline.md` is the reference for users. Each unknown key, wrong type and impossible value is a
//! [`Problem`](seed_report::Problem) with its place in the file, and as many as possible are found at once.

mod build_seed;
mod closure;
mod environment;
mod json;
mod layer_name;
mod legal;
mod load;
mod model;
mod parse;
mod plugin;
mod plugin_use;
mod reader;
mod rules;
mod secrets;
mod seed;
mod source;
#[cfg(test)]
mod tests;

pub use load::PipelineFileError;
pub use model::{
    BuildSeed, ClosureFiles, Flake, Forbid, Group, KeySource, LayerDirectory, LayerPaths, Legal, Pipeline,
    SecretSource, Seed, Source,
};
pub use plugin_use::{Config, Grants, PluginReference, PluginUse};
