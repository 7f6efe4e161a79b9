//! Interface `log`.

use wasmtime::Result;

use crate::capabilities::LogLevel;
use crate::state::State;
use crate::v0_1::bindings::seed::pipeline::log::{Host, Level};

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> Result<()> {
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.counted(|state| {
            state.charge(message.len() as u64)?;
            state.log.message(level, &message);
            Ok(())
        })
    }
}
