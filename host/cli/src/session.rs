//! What the commands that need the engine share.

use std::env;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use seed_engine::{Engine, EngineError, EngineOptions, Pipeline, default_cache_directory};

use crate::args::EngineArgs;
use crate::error::CliError;
use crate::password::Prompt;
use crate::printer::Printer;

/// The engine, as the command line and the environment ask; one packing thread per processor where `threads` is none.
pub(crate) fn engine(
    args: &EngineArgs,
    threads: Option<u16>,
    printer: &Arc<Printer>,
) -> Result<Engine, CliError> {
    let given = args.cache_dir.clone();
    let cache_directory = given.or_else(default_cache_directory).ok_or(CliError::NoCacheDirectory)?;
    Ok(Engine::new(EngineOptions {
        cache_directory,
        threads: threads.and_then(|threads| NonZero::new(threads.into())),
        aot_cache: !args.no_aot_cache,
        require_lock: in_ci(),
        passwords: Arc::new(Prompt::new(Arc::clone(printer))),
    })?)
}

/// Whether this runs in CI, as every CI system says it.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// The pipeline that the command line names: a file, or a directory with a `pipeline.toml`.
pub(crate) fn pipeline(path: &Path) -> Result<Pipeline, CliError> {
    let path = if path.is_dir() { path.join("pipeline.toml") } else { path.to_owned() };
    Ok(Pipeline::load(&path).map_err(EngineError::from)?)
}
