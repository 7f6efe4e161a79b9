//! Loads components.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use seed_disk::CacheDirectory;
use seed_model::{Digest, Stage};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::aot::{AotCache, deserialize};
use crate::call::Callable;
use crate::compile::{CompileError, Compiler};
use crate::engine::Engines;
use crate::error::{LoadError, RuntimeError};
use crate::failure::reason;
use crate::inspect::inspect;
use crate::limits::{Limit, Limits};
use crate::plugin::{Origin, Plugin};
use crate::v0_1::{self, Exports};
use crate::wasi;

/// How a [`Runtime`] works.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Limits for every component.
    pub limits: Limits,
    /// Where compiled components are kept; nowhere if there is none.
    pub aot_directory: Option<CacheDirectory>,
    /// The command that compiles components: a program and its first arguments, which runs
    /// [`CompileJob`](crate::CompileJob) when the arguments after them say so. Without it a thread of this process compiles:
    /// then nothing bounds the memory that this takes, or ends it.
    pub compiler: Option<Vec<OsString>>,
}

/// Loads and runs components.
#[derive(Debug)]
pub struct Runtime {
    engines: Engines,
    limits: Arc<Limits>,
    aot: Option<AotCache>,
    compiler: Compiler,
    cancelled: Arc<AtomicBool>,
}

impl Runtime {
    /// Sets up the engines and opens the cache of compiled components.
    pub fn new(options: Options) -> Result<Self, RuntimeError> {
        let Options { limits, aot_directory, compiler: command } = options;
        let limits = Arc::new(limits);
        Ok(Self {
            engines: Engines::new(&limits)?,
            aot: aot_directory.map(AotCache::open).transpose()?,
            compiler: Compiler { limits: Arc::clone(&limits), command },
            limits,
            cancelled: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Loads a component for a stage: checks what it is before anything else, compiles it or takes the result of an
    /// earlier time, and asks it for its description. `bytes` are never taken as machine code.
    pub fn load(&self, bytes: &[u8], stage: Stage) -> Result<Plugin, LoadError> {
        let inspection = inspect(bytes, &self.limits)?;
        if inspection.stage != stage {
            return Err(LoadError::WrongWorld { found: inspection.stage, wanted: stage });
        }
        let digest = inspection.digest;
        let engine =
            if stage.is_deterministic() { &self.engines.deterministic } else { &self.engines.effectful };
        let (component, origin) = match self.aot.as_ref().and_then(|aot| aot.load(engine, digest)) {
            Some(component) => (component, Origin::Cache),
            None => self.compile(engine, bytes, digest, stage)?,
        };

        tracing::debug!(digest = %digest.short(), stage = stage.section(), ?origin, "component loaded");
        let shape = |error: wasmtime::Error| LoadError::Shape { digest, stage, reason: reason(&error) };
        let mut linker = Linker::new(engine);
        v0_1::link(&mut linker, stage).map_err(shape)?;
        wasi::link(&mut linker, &component).map_err(shape)?;
        let pre = linker.instantiate_pre(&component).map_err(shape)?;
        let exports = Exports::new(&pre, stage).map_err(shape)?;
        let (limits, cancelled) = (self.limits.clone(), self.cancelled.clone());
        let callable = Callable { stage, digest, pre, exports, limits, cancelled };
        Plugin::new(callable, inspection, origin).map_err(|error| LoadError::Describe(Box::new(error)))
    }

    /// Stops every running call, and every later one, for good: for a program that is about to end.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Compiles, and keeps the result.
    fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: Digest,
        stage: Stage,
    ) -> Result<(Component, Origin), LoadError> {
        let limit = |limit| LoadError::Limit { digest, exceeded: self.limits.exceeded(limit) };
        let code = self.compiler.compile(bytes, stage.is_deterministic()).map_err(|error| match error {
            CompileError::Invalid(reason) => LoadError::Compile { digest, reason },
            CompileError::Time => limit(Limit::CompileTime),
            CompileError::Memory => limit(Limit::CompileMemory),
        })?;
        let component = deserialize(engine, &code).ok_or_else(|| LoadError::Compile {
            digest,
            reason: "the machine code is for another wasmtime".to_owned(),
        })?;
        // Where it cannot be kept (a full disk), it is compiled again next time.
        let kept = self.aot.as_ref().is_some_and(|aot| aot.store(engine, digest, &code).is_ok());
        Ok((component, Origin::Compiled { kept }))
    }
}
