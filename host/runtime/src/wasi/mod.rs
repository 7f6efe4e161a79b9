//! A closed WASI 0.2, for components of toolchains whose standard library imports it.
//!
//! What stands here is all that there is: no code of this program opens a file or a socket for WASI. There are no
//! arguments, no environment, no directories; creating a socket gives `access-denied`; standard input is empty;
//! standard output and error go to the log. Deterministic stages see a wall clock that stands at
//! 1970-01-01T00:00:01Z, a monotonic clock that counts its readings, and randomness that depends on the component
//! and the call alone. Other stages see real clocks and real randomness.

mod functions;

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime::component::types::ComponentItem;

use crate::state::State;

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
