//! What the host knows of one call of a component: the data of its store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use seed_model::Stage;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Result};

use crate::capabilities::Capabilities;
use crate::error::Cancelled;
use crate::limits::{Limit, Limits};
use crate::log::Log;
use crate::wasi_context::WasiContext;

/// The state of one call.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) stage: Stage,
    pub(crate) capabilities: Capabilities,
    /// What the host made for the component: bars, readers, writers, streams.
    pub(crate) table: ResourceTable,
    pub(crate) log: Log,
    pub(crate) wasi: WasiContext,
    limits: Limits,
    cancelled: Arc<AtomicBool>,
    started: Instant,
    /// Time that the component waited for the host.
    waited: Duration,
    memory: u64,
    table_elements: u64,
    host_calls: u64,
    http_requests: u64,
    blob_bytes: u64,
}

impl State {
    #[expect(clippy::disallowed_methods, reason = "measures how long a call takes, for its limit")]
    pub(crate) fn new(
        stage: Stage,
        capabilities: &Capabilities,
        limits: &Limits,
        cancelled: Arc<AtomicBool>,
        wasi: WasiContext,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(limits.handles).unwrap_or(usize::MAX));
        Self {
            stage,
            capabilities: capabilities.clone(),
            table,
            log: Log::new(capabilities.reporter.clone(), limits.log_size),
            wasi,
            limits: limits.clone(),
            cancelled,
            started: Instant::now(),
            waited: Duration::ZERO,
            memory: 0,
            table_elements: 0,
            host_calls: 0,
            http_requests: 0,
            blob_bytes: 0,
        }
    }

    /// Does the host's part of a call and counts it.
    pub(crate) fn counted<R>(&mut self, work: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        self.host_calls = self.host_calls.saturating_add(1);
        self.within(self.host_calls, self.limits.host_calls, Limit::HostCalls)?;
        work(self)
    }

    /// The same for work that may take long: its time is not the component's own.
    #[expect(clippy::disallowed_methods, reason = "measures how long a call takes, for its limit")]
    pub(crate) fn timed<R>(&mut self, work: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        let start = Instant::now();
        let result = self.counted(work);
        self.waited = self.waited.saturating_add(start.elapsed());
        result
    }

    /// Counts HTTP requests that are about to be sent.
    pub(crate) fn count_requests(&mut self, number: usize) -> Result<()> {
        self.http_requests = self.http_requests.saturating_add(number as u64);
        self.within(self.http_requests, self.limits.http_requests, Limit::HttpRequests)
    }

    /// Counts bytes that go through `blobs` or a layer reader.
    pub(crate) fn count_blob_bytes(&mut self, number: usize) -> Result<()> {
        self.blob_bytes = self.blob_bytes.saturating_add(number as u64);
        self.within(self.blob_bytes, self.limits.blob_bytes, Limit::BlobBytes)
    }

    /// Whether the component may go on: called at each tick of the engine's clock, and while it sleeps.
    pub(crate) fn check_time(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(wasmtime::Error::new(Cancelled));
        }
        if self.own_time() >= Duration::from_secs(self.limits.time) {
            return Err(wasmtime::Error::new(self.limits.exceeded(Limit::Time)));
        }
        Ok(())
    }

    /// What to tell a component that needs a capability which the pipeline does not give it: `what` is missing, and
    /// `grant` is a line that brings it.
    pub(crate) fn denied(&self, what: &str, grant: &str) -> String {
        format!("{what}; add `grants = {{ {grant} }}` to `{}` in the pipeline file", self.stage.table())
    }

    /// How long the component itself has run.
    fn own_time(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.waited)
    }

    fn within(&self, used: u64, allowed: u64, limit: Limit) -> Result<()> {
        if used > allowed { Err(wasmtime::Error::new(self.limits.exceeded(limit))) } else { Ok(()) }
    }
}

/// All memories and all tables count together; what is beyond traps, so that the error names the limit. A refused
/// `memory.grow` would only look like a panic of the component's allocator.
impl ResourceLimiter for State {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current) as u64);
        self.within(total, self.limits.memory, Limit::Memory)?;
        self.memory = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current) as u64);
        self.within(total, self.limits.table_elements, Limit::TableElements)?;
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        usize::try_from(self.limits.instances).unwrap_or(usize::MAX)
    }

    fn memories(&self) -> usize {
        self.instances()
    }

    fn tables(&self) -> usize {
        self.instances()
    }
}
