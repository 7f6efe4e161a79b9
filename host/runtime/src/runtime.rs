//! Loads components.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use seed_disk::CacheDirectory;
use seed_model::{Digest, Stage};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::aot::AotCache;
use crate::call::Callable;
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
}

/// Loads and runs components.
#[derive(Debug)]
pub struct Runtime {
    engines: Engines,
    limits: Arc<Limits>,
    aot: Option<AotCache>,
    cancelled: Arc<AtomicBool>,
}

impl Runtime {
    /// Sets up the engines and opens the cache of compiled components.
    pub fn new(options: Options) -> Result<Self, RuntimeError> {
        let Options { limits, aot_directory } = options;
        Ok(Self {
            engines: Engines::new(&limits)?,
            aot: aot_directory.map(AotCache::open).transpose()?,
            limits: Arc::new(limits),
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
            None => self.compile(engine, bytes, digest)?,
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

    /// Stops every running call of a signing or publishing component, and every later one, for good: for a
    /// program that is about to end. Calls of pure functions end by themselves.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Compiles in a thread of its own. wasmtime cannot be interrupted: when the time is up, the thread is left
    /// behind and its result is dropped.
    fn compile(
        &self,
        engine: &Engine,
        bytes: &[u8],
        digest: Digest,
    ) -> Result<(Component, Origin), LoadError> {
        let invalid = |reason| LoadError::Compile { digest, reason };
        let (sender, receiver) = sync_channel(1);
        let (own_engine, own_bytes) = (engine.clone(), bytes.to_vec());
        std::thread::Builder::new()
            .name("seed-compile".to_owned())
            // Validation and compilation recurse with the nesting of the code, within wasmtime's own bounds.
            .stack_size(8 << 20)
            .spawn(move || {
                // The other side is gone when the time was up.
                let _ = sender.send(Component::from_binary(&own_engine, &own_bytes));
            })
            .map_err(|error| invalid(error.to_string()))?;
        let component = match receiver.recv_timeout(Duration::from_secs(self.limits.compile_time)) {
            Ok(result) => result.map_err(|error| invalid(reason(&error)))?,
            Err(RecvTimeoutError::Timeout) => {
                let exceeded = self.limits.exceeded(Limit::CompileTime);
                return Err(LoadError::Limit { digest, exceeded });
            }
            Err(RecvTimeoutError::Disconnected) => return Err(invalid("the compiler gave up".to_owned())),
        };
        // Where it cannot be kept (a full disk), it is compiled again next time.
        let kept = self.aot.as_ref().is_some_and(|aot| aot.store(engine, digest, &component).is_ok());
        Ok((component, Origin::Compiled { kept }))
    }
}
