//! Interface `progress`.

use wasmtime::Result;
use wasmtime::component::Resource;

use crate::state::State;
use crate::text::printable;
use crate::v0_1::bindings::seed::pipeline::progress::{Host, HostTask};
use crate::v0_1::resources::Task;

/// The longest label in bytes.
const LABEL: usize = 200;

impl Host for State {}

impl HostTask for State {
    fn new(&mut self, label: String, total: Option<u64>) -> Result<Resource<Task>> {
        self.counted(|state| {
            state.charge(label.len() as u64)?;
            let reporter = state.capabilities.reporter.clone();
            let label = printable(&label, LABEL).replace('\n', " ");
            let task = Task { number: reporter.progress_start(&label, total), reporter };
            Ok(state.table.push(task)?)
        })
    }

    fn advance(&mut self, task: Resource<Task>, amount: u64) -> Result<()> {
        self.counted(|state| {
            let task = state.table.get(&task)?;
            task.reporter.progress_advance(task.number, amount);
            Ok(())
        })
    }

    fn drop(&mut self, task: Resource<Task>) -> Result<()> {
        self.counted(|state| {
            state.table.delete(task)?;
            Ok(())
        })
    }
}
