//! What every command is given: the way to the terminal, to the pipeline file and to the engine.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use seed_engine::{Engine, EngineOptions, Pipeline};
use seed_report::Error;
use seed_report::style::Text;
use serde::Serialize;

use crate::environment::{self, ProcessEnvironment};
use crate::password::Prompt;
use crate::printer::Printer;
use crate::progress::Progress;

/// Options of the commands that read a pipeline or run plugins.
#[derive(Debug, Args)]
pub(crate) struct EngineArgs {
    /// Cache directory
    ///
    /// Default: `$SEED_CACHE_DIR`, or `seed` in `$XDG_CACHE_HOME`, or `~/.cache/seed`. You can remove it at any time.
    #[arg(long, value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile every plugin again instead of caching its machine code
    #[arg(long)]
    pub(crate) no_aot_cache: bool,
}

/// One call of the command.
#[derive(Debug)]
pub(crate) struct Session {
    /// The way to the terminal.
    pub(crate) printer: Arc<Printer>,
    /// How long all requests may take together.
    pub(crate) network_time: Duration,
}

impl Session {
    /// The engine, as the command line and the environment ask; one packing thread per processor where `threads` is none.
    pub(crate) fn engine(&self, args: &EngineArgs, threads: Option<u16>) -> Engine {
        self.engine_with(args.cache_dir.clone(), !args.no_aot_cache, threads)
    }

    /// An engine for a command that runs no plugin; `cache` is where it keeps what it needs for a while, if that is given.
    pub(crate) fn engine_without_plugins(&self, cache: Option<PathBuf>) -> Engine {
        self.engine_with(cache, true, None)
    }

    fn engine_with(&self, cache_directory: Option<PathBuf>, aot_cache: bool, threads: Option<u16>) -> Engine {
        Engine::new(EngineOptions {
            cache_directory,
            threads: threads.and_then(|threads| NonZero::new(threads.into())),
            aot_cache,
            require_lock: environment::in_ci(),
            compiler: environment::own_command(),
            network_time: Some(self.network_time),
            passwords: Arc::new(Prompt::new(Arc::clone(&self.printer))),
            environment: Arc::new(ProcessEnvironment),
        })
    }

    /// Draws what the engine does.
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::new(Progress::new(Arc::clone(&self.printer)))
    }

    /// Shows the result of a command: as JSON where that is asked for, else as `text` puts it.
    pub(crate) fn show<T: Serialize>(&self, result: &T, text: impl FnOnce(&T) -> Text) -> Result<(), Error> {
        if self.printer.is_json() {
            self.printer.json(result)?;
        } else {
            self.printer.data(&text(result))?;
        }
        Ok(())
    }
}

/// The pipeline that the command line names: a file, or a directory with a `pipeline.toml`.
pub(crate) fn pipeline(path: &Path) -> Result<Pipeline, Error> {
    let path = if path.is_dir() { path.join("pipeline.toml") } else { path.to_owned() };
    Ok(Pipeline::load(&path)?)
}
