//! The contract `seed:pipeline@0.1`: what a component of it imports and exports, in terms of `seed-model`.
//!
//! A later version of the contract that changes shapes gets a module beside this one.

mod bindings;
mod convert;
mod exports;
mod host;
mod resources;

use seed_model::Stage;
use wasmtime::Result;
use wasmtime::component::{HasSelf, Linker};

use crate::imports::imports;
use crate::state::State;
use bindings::seed::pipeline;

pub(crate) use exports::Exports;

/// Defines what the world of a stage imports.
pub(crate) fn link(linker: &mut Linker<State>, stage: Stage) -> Result<()> {
    for interface in imports(stage) {
        match *interface {
            "log" => pipeline::log::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?,
            "progress" => pipeline::progress::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?,
            "archive" => pipeline::archive::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?,
            "blobs" => pipeline::blobs::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?,
            "keyring" => pipeline::keyring::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?,
            "http" => pipeline::http::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?,
            "files" => pipeline::files::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?,
            // The others hold types only: there is nothing to define.
            _ => {}
        }
    }
    Ok(())
}
