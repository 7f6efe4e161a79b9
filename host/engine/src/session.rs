//! What all commands of one process share: caches, credentials, passwords, and what the environment says.

use std::ffi::OsString;
use std::fmt;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use miette::Diagnostic;
use seed_http::{CredentialStore, DockerConfig, TimeBudget};
use seed_nix::NixOptions;
use seed_oci::location::{self, Location, LocationError, Reference};
use seed_process::{Environment, Launcher};
use seed_report::{Kind, Report};
use seed_runtime::{Limits, Options, Runtime, RuntimeError};

use crate::cache::{self, Cache, CacheError};
use crate::lock::Policy;
use crate::pipeline::Pipeline;

/// Asks for passwords that the pipeline file does not say where to find.
pub trait Passwords: Send + Sync + fmt::Debug {
    /// The password of the key `name` in `file`; none where nobody can be asked.
    fn password(&self, name: &str, file: &Path) -> Option<String>;
}

/// What holds for every command.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where caches live; none for where the environment says: `$SEED_CACHE_DIR`, or `seed` in `$XDG_CACHE_HOME`, or
    /// `~/.cache/seed`. A command that needs none of them makes none.
    pub cache_directory: Option<PathBuf>,
    /// Threads for packing; none for one per processor. The bytes do not depend on it.
    pub threads: Option<NonZero<usize>>,
    /// Whether compiled plugins are kept.
    pub aot_cache: bool,
    /// Refuse plugins from files and registries that are neither locked nor pinned, as in CI.
    pub require_lock: bool,
    /// Who is asked for passwords.
    pub passwords: Arc<dyn Passwords>,
    /// The command that compiles plugins, within limits of memory: a program and its first arguments, which runs
    /// [`CompileJob`](crate::CompileJob) when the arguments after them say so. Without it they are compiled here.
    pub compiler: Option<Vec<OsString>>,
    /// How long all requests to registries and other servers may take together; none: as long as they move.
    pub network_time: Option<Duration>,
    /// Where variables are looked up: those that secrets are in, and those that say where caches and logins are.
    pub environment: Arc<dyn Environment>,
}

/// Plugins cannot be run on this machine.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("cannot run plugins")]
#[diagnostic(code("seed::runtime::setup"))]
pub(crate) struct RuntimeSetupError {
    source: RuntimeError,
    #[help]
    help: Option<String>,
}

impl Report for RuntimeSetupError {
    fn kind(&self) -> Kind {
        Kind::Failed
    }
}

/// What commands share.
#[derive(Debug)]
pub(crate) struct Session {
    options: EngineOptions,
    launcher: Launcher,
    credentials: Arc<dyn CredentialStore>,
    network_time: Option<Arc<TimeBudget>>,
    /// Opened by the first command that needs it.
    cache: Arc<OnceLock<Cache>>,
}

impl Session {
    /// Nothing is opened yet.
    pub(crate) fn new(options: EngineOptions) -> Self {
        let launcher = Launcher::new(Arc::clone(&options.environment));
        let network_time = options.network_time.map(|time| Arc::new(TimeBudget::new(time)));
        Self::over(options, launcher, network_time, Arc::default())
    }

    /// The same session for a command on this pipeline: no program sees a variable that the pipeline reads a secret from,
    /// and each sees those that the pipeline adds.
    pub(crate) fn for_pipeline(&self, pipeline: &Pipeline) -> Self {
        let withheld = pipeline.secret_variables().map(|(name, _)| name.into());
        let launcher = self.launcher.with(withheld, pipeline.environment.clone());
        Self::over(self.options.clone(), launcher, self.network_time.clone(), Arc::clone(&self.cache))
    }

    fn over(
        options: EngineOptions,
        launcher: Launcher,
        network_time: Option<Arc<TimeBudget>>,
        cache: Arc<OnceLock<Cache>>,
    ) -> Self {
        let credentials = Arc::new(DockerConfig::locate(&launcher));
        Self { options, launcher, credentials, network_time, cache }
    }

    /// Where the caches are, or would be.
    pub(crate) fn cache_directory(&self) -> Result<PathBuf, CacheError> {
        let given = self.options.cache_directory.clone();
        given.or_else(|| cache::default_directory(&self.launcher)).ok_or(CacheError::NoDirectory)
    }

    /// The caches.
    pub(crate) fn cache(&self) -> Result<&Cache, CacheError> {
        if let Some(cache) = self.cache.get() {
            return Ok(cache);
        }
        let cache = Cache::open(&self.cache_directory()?, self.options.threads)?;
        Ok(self.cache.get_or_init(|| cache))
    }

    /// A runtime for plugins, with these limits.
    pub(crate) fn runtime(&self, cache: &Cache, limits: &Limits) -> Result<Runtime, RuntimeSetupError> {
        let open = || {
            let aot_directory = self.options.aot_cache.then(|| cache.compiled_plugins()).transpose()?;
            let compiler = self.options.compiler.clone();
            Runtime::new(Options { limits: limits.clone(), aot_directory, compiler })
        };
        open().map_err(|source: RuntimeError| RuntimeSetupError { help: source.help(), source })
    }

    /// What a command may do about the lock; `locked`: nothing.
    pub(crate) fn policy(&self, locked: bool) -> Policy {
        match (locked, self.options.require_lock) {
            (true, _) => Policy::Locked,
            (false, true) => Policy::RequireForeign,
            (false, false) => Policy::Update,
        }
    }

    /// The logins of the user.
    pub(crate) fn credentials(&self) -> Arc<dyn CredentialStore> {
        Arc::clone(&self.credentials)
    }

    /// The time for all requests of this process.
    pub(crate) fn network_time(&self) -> Option<&Arc<TimeBudget>> {
        self.network_time.as_ref()
    }

    /// Opens a place that holds images, with the user's logins.
    pub(crate) fn open(&self, reference: &Reference) -> Result<Box<dyn Location>, LocationError> {
        location::open(reference, self.credentials(), self.network_time().cloned())
    }

    /// The Nix of this machine.
    pub(crate) fn nix(&self) -> NixOptions {
        NixOptions::locate(&self.launcher)
    }

    /// Starts programs.
    pub(crate) fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// The password of the key `name` in `file`; none where nobody can be asked.
    pub(crate) fn password(&self, name: &str, file: &Path) -> Option<String> {
        self.options.passwords.password(name, file)
    }

    /// The value of a variable of the environment; none where it is not set, or not text.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.launcher.variable(name)?.into_string().ok()
    }
}
