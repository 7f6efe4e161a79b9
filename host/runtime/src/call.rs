//! One call of a component: a fresh instance, in a store and a thread of its own.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use seed_model::{Digest, Stage};
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store, UpdateDeadline};

use crate::capabilities::Capabilities;
use crate::engine::stack_size;
use crate::error::{Failure, Identity, PluginError};
use crate::failure::classify;
use crate::limits::Limits;
use crate::state::State;
use crate::v0_1::Exports;
use crate::wasi_context::WasiContext;

/// Stack for the host's own functions, beyond the component's: packing, HTTP.
const HOST_STACK: usize = 2 << 20;

/// A component that is linked, and what its calls need.
#[derive(Clone)]
pub(crate) struct Callable {
    pub(crate) stage: Stage,
    pub(crate) digest: Digest,
    pub(crate) pre: InstancePre<State>,
    pub(crate) exports: Exports,
    pub(crate) limits: Arc<Limits>,
    pub(crate) cancelled: Arc<AtomicBool>,
}

impl Callable {
    /// Calls a function of the contract. `name` is the component's name and version, as far as they are known.
    ///
    /// The thread has room for the largest stack that the component may use and for the host's functions on top,
    /// whatever thread the caller is.
    #[expect(clippy::disallowed_methods, reason = "measures how long it takes, for traces only")]
    pub(crate) fn call<R: Send>(
        &self,
        name: Option<(String, String)>,
        call: &'static str,
        capabilities: &Capabilities,
        body: impl FnOnce(&Exports, &mut Store<State>, &Instance) -> Result<R> + Send,
    ) -> Result<R, PluginError> {
        let error = |failure, log_tail| {
            let plugin = Box::new(Identity { name, digest: self.digest });
            PluginError { plugin, stage: self.stage, call, failure, log_tail }
        };
        let start = Instant::now();
        let stack = stack_size(&self.limits).saturating_add(HOST_STACK);
        let result = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name(format!("seed-{}", self.stage.section()))
                .stack_size(stack)
                .spawn_scoped(scope, || self.run(call, capabilities, body))
                .map_err(|error| (Failure::Thread(error.to_string()), Vec::new()))?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let (digest, milliseconds, failed) =
            (self.digest.short(), start.elapsed().as_millis(), result.is_err());
        tracing::debug!(%digest, call, milliseconds, failed, "component called");
        result.map_err(|(failure, log_tail)| error(failure, log_tail))
    }

    fn run<R>(
        &self,
        call: &str,
        capabilities: &Capabilities,
        body: impl FnOnce(&Exports, &mut Store<State>, &Instance) -> Result<R>,
    ) -> Result<R, (Failure, Vec<String>)> {
        let mut store = self.store(call, capabilities);
        let result =
            self.pre.instantiate(&mut store).and_then(|instance| body(&self.exports, &mut store, &instance));
        let log = &mut store.data_mut().log;
        log.finish();
        result.map_err(|error| (classify(&error, &self.limits, log), log.tail()))
    }

    fn store(&self, call: &str, capabilities: &Capabilities) -> Store<State> {
        let deterministic = self.stage.is_deterministic();
        let wasi =
            if deterministic { WasiContext::deterministic(self.digest, call) } else { WasiContext::real() };
        let state = State::new(self.stage, capabilities, &self.limits, self.cancelled.clone(), wasi);
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(usize::try_from(self.limits.output_size).unwrap_or(usize::MAX));
        store.set_max_component_handles(usize::try_from(self.limits.handles).unwrap_or(usize::MAX));
        if deterministic {
            store.set_fuel(self.limits.fuel).expect("the deterministic engine counts fuel");
        }
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            store.data().check_time()?;
            Ok(UpdateDeadline::Continue(1))
        });
        store
    }
}
