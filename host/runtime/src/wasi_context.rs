//! Clocks and randomness, as a component sees them through WASI during one call.

use std::time::{Duration, Instant, SystemTime};

use seed_model::{Digest, Hasher};
use wasmtime::Result;

/// What a reading of the deterministic monotonic clock adds, in nanoseconds.
const READING: u64 = 1_000;
/// The wall clock of deterministic stages, in seconds since 1970: what image documents have for `created`.
const FIXED_TIME: Duration = Duration::from_secs(1);

/// Clocks and randomness of one call.
#[derive(Debug)]
pub(crate) enum WasiContext {
    /// For pure functions.
    Deterministic {
        /// The monotonic clock.
        nanoseconds: u64,
        /// What the randomness depends on.
        seed: Digest,
        /// Blocks of randomness that were used.
        blocks: u64,
    },
    /// For stages with effects.
    Real {
        /// Zero of the monotonic clock.
        start: Instant,
    },
}

impl WasiContext {
    /// For a call of a pure function.
    pub(crate) fn deterministic(component: Digest, call: &str) -> Self {
        let mut seed = Hasher::new();
        seed.update(component.as_bytes());
        seed.update(call.as_bytes());
        Self::Deterministic { nanoseconds: 0, seed: seed.finish(), blocks: 0 }
    }

    /// For a call with effects.
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock of calls with effects; what they make is no artifact"
    )]
    pub(crate) fn real() -> Self {
        Self::Real { start: Instant::now() }
    }

    /// The monotonic clock in nanoseconds.
    pub(crate) fn now(&mut self) -> u64 {
        match self {
            Self::Deterministic { nanoseconds, .. } => {
                *nanoseconds = nanoseconds.saturating_add(READING);
                *nanoseconds
            }
            Self::Real { start } => u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// The time since 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "the clock of calls with effects; what they make is no artifact"
    )]
    pub(crate) fn wall_clock(&self) -> Duration {
        match self {
            Self::Deterministic { .. } => FIXED_TIME,
            Self::Real { .. } => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// Random bytes.
    pub(crate) fn random(&mut self, number: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; number];
        match self {
            Self::Deterministic { seed, blocks, .. } => {
                for chunk in bytes.chunks_mut(32) {
                    let mut block = Hasher::new();
                    block.update(seed.as_bytes());
                    block.update(&blocks.to_le_bytes());
                    *blocks = blocks.wrapping_add(1);
                    chunk.copy_from_slice(&block.finish().as_bytes()[..chunk.len()]);
                }
            }
            Self::Real { .. } => getrandom::fill(&mut bytes)
                .map_err(|error| wasmtime::format_err!("cannot get random bytes from the system: {error}"))?,
        }
        Ok(bytes)
    }
}
