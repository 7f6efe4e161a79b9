//! The two engines: one whose results depend on nothing but the input, and one for calls with effects. A clock can stop
//! both.

use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy};

use crate::error::RuntimeError;
use crate::limits::Limits;

/// Time between two ticks of an engine's clock.
const TICK: Duration = Duration::from_millis(10);
/// The largest stack that a pipeline can ask for.
const MAX_STACK: u64 = 1 << 30;

/// Both engines.
#[derive(Clone, Debug)]
pub(crate) struct Engines {
    /// For selection and packing.
    pub(crate) deterministic: Engine,
    /// For signing and publishing.
    pub(crate) effectful: Engine,
}

impl Engines {
    pub(crate) fn new(limits: &Limits) -> Result<Self, RuntimeError> {
        let ticking = |deterministic| {
            let engine = engine(limits, deterministic)?;
            tick(&engine).map_err(|error| RuntimeError::Engine(error.to_string()))?;
            Ok::<_, RuntimeError>(engine)
        };
        Ok(Self { deterministic: ticking(true)?, effectful: ticking(false)? })
    }
}

/// An engine without a clock.
pub(crate) fn engine(limits: &Limits, deterministic: bool) -> Result<Engine, RuntimeError> {
    let mut config = config(limits);
    if deterministic {
        // Fuel, and one bit pattern for each NaN: the same input gives the same bytes, or the same error, anywhere.
        config.consume_fuel(true).cranelift_nan_canonicalization(true);
    }
    Engine::new(&config).map_err(|error| RuntimeError::Engine(format!("{error:#}")))
}

/// The stack of a component in bytes.
pub(crate) fn stack_size(limits: &Limits) -> usize {
    usize::try_from(limits.stack.min(MAX_STACK)).expect("at most 1 GiB")
}

fn config(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        // Relaxed SIMD gives results that depend on the processor.
        .wasm_relaxed_simd(false)
        .max_wasm_stack(stack_size(limits))
        // Fuel counts instructions, and one of them may fill all memory: time ends what fuel does not.
        .epoch_interruption(true)
        // Nothing here is asynchronous; wasmtime only wants this to be no smaller.
        .async_stack_size(stack_size(limits))
        // Names and offsets of functions help nobody but the plugin's author, and are rarely there.
        .wasm_backtrace_max_frames(None)
        // Instances are few and short-lived: a pool would reserve address space for nothing.
        .allocation_strategy(InstanceAllocationStrategy::OnDemand);
    config
}

/// Starts the clock of an engine. It stops by itself when the engine is gone.
fn tick(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("seed-clock".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}
