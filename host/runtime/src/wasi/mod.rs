//! A closed WASI 0.2, for components of toolchains whose standard library imports it.
//!
//! What stands here is all that there is: no code of this program opens a file or a socket for WASI. There are no
//! arguments, no environment, no directories; creating a socket gives `access-denied`; standard input is empty;
//! standard output and error go to the log. Deterministic stages see a wall clock that stands at
//! 1970-01-01T00:00:01Z, a monotonic clock that counts its readings, and randomness that depends on the component
//! and the call alone. Other stages see real clocks and real randomness.

mod functions;

use std::time::{Duration, Instant, SystemTime};

use seed_model::{Digest, Hasher};
use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime::component::types::ComponentItem;

use crate::state::State;

/// What a reading of the deterministic monotonic clock adds, in nanoseconds.
const READING: u64 = 1_000;
/// The wall clock of deterministic stages, in seconds since 1970: what image documents have for `created`.
const FIXED_TIME: Duration = Duration::from_secs(1);

/// Clocks and randomness of one call.
#[derive(Debug)]
pub(crate) enum Wasi {
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

impl Wasi {
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
    fn now(&mut self) -> u64 {
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
    fn wall_clock(&self) -> Duration {
        match self {
            Self::Deterministic { .. } => FIXED_TIME,
            Self::Real { .. } => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// Random bytes.
    fn random(&mut self, number: usize) -> Result<Vec<u8>> {
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
                .map_err(|error| wasmtime::format_err!("the system has no randomness: {error}"))?,
        }
        Ok(bytes)
    }
}

/// Defines what a component imports of WASI. A function that cannot be reached (one on a descriptor, as no
/// component ever gets a descriptor) traps.
pub(crate) fn link(linker: &mut Linker<State>, component: &wasmtime::component::Component) -> Result<()> {
    let engine = linker.engine().clone();
    for (import, item) in component.component_type().imports(&engine) {
        let ComponentItem::ComponentInstance(item) = item.ty else { continue };
        if !import.starts_with("wasi:") {
            continue;
        }
        let interface = import.split('@').next().unwrap_or(import);
        let mut instance = linker.instance(import)?;
        for (name, item) in item.exports(&engine) {
            match item.ty {
                ComponentItem::Resource(_) => functions::define_resource(&mut instance, name)?,
                ComponentItem::ComponentFunc(_) => functions::define(&mut instance, interface, name)?,
                _ => {}
            }
        }
    }
    Ok(())
}
