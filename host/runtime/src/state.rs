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

/// What a call of the host costs in fuel at least. A unit is about a nanosecond of the host.
const CALL: u64 = 1_000;
/// Deterministic calls that compute until their fuel ends stay far below so many times the limit on time.
const PATIENCE: u32 = 10;

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
    /// Time that the component waited for HTTP, files and packing.
    waited: Duration,
    /// What the host did for a pure function, in units of fuel.
    host_fuel: u64,
    /// Layer readers and blob writers that are open.
    streams: u64,
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
            host_fuel: 0,
            streams: 0,
            memory: 0,
            table_elements: 0,
            host_calls: 0,
            http_requests: 0,
            blob_bytes: 0,
        }
    }

    /// Does the host's part of a call and counts it. Its time is the component's.
    pub(crate) fn counted<R>(&mut self, work: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
        self.host_calls = self.host_calls.saturating_add(1);
        self.within(self.host_calls, self.limits.host_calls, Limit::HostCalls)?;
        self.charge(CALL)?;
        work(self)
    }

    /// The same for what may take long without anybody's fault: HTTP, which has limits of its own, and work by the byte,
    /// which [`count_bytes`](Self::count_bytes) limits.
    #[expect(clippy::disallowed_methods, reason = "measures how long a call takes, for its limit")]
    pub(crate) fn waiting<R>(&mut self, work: impl FnOnce(&mut Self) -> Result<R>) -> Result<R> {
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

    /// Counts bytes that the host reads or writes, before it does.
    pub(crate) fn count_bytes(&mut self, number: u64) -> Result<()> {
        self.blob_bytes = self.blob_bytes.saturating_add(number);
        self.within(self.blob_bytes, self.limits.blob_bytes, Limit::BlobBytes)
    }

    /// Counts what the host does for a pure function, which has no clock. Fuel of its own is not touched, so the two
    /// together are at most twice the limit.
    pub(crate) fn charge(&mut self, fuel: u64) -> Result<()> {
        if !self.stage.is_deterministic() {
            return Ok(());
        }
        self.host_fuel = self.host_fuel.saturating_add(fuel);
        self.within(self.host_fuel, self.limits.fuel, Limit::Fuel)
    }

    /// Counts a layer reader or blob writer that is about to be opened.
    pub(crate) fn open_stream(&mut self) -> Result<()> {
        self.streams = self.streams.saturating_add(1);
        self.within(self.streams, self.limits.streams, Limit::Streams)
    }

    /// One of them was closed.
    pub(crate) fn close_stream(&mut self) {
        self.streams = self.streams.saturating_sub(1);
    }

    /// Whether the component may go on: called at each tick of the engine's clock, and while it sleeps.
    pub(crate) fn check_time(&self) -> Result<()> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(wasmtime::Error::new(Cancelled));
        }
        let mut allowed = Duration::from_secs(self.limits.time);
        if self.stage.is_deterministic() {
            allowed = allowed.saturating_mul(PATIENCE);
        }
        if self.own_time() >= allowed {
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
