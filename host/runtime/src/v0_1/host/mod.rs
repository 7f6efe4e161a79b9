//! What the host does for a component, one file per interface.
//!
//! Each function counts its call, bounds what it was given, and asks the capability of the run. A capability that the
//! pipeline does not give is answered with `denied` and the line to add.

mod archive;
mod blobs;
mod bounds;
mod files;
mod http;
mod keyring;
mod log;
mod progress;

use crate::state::State;
use crate::v0_1::bindings::seed::pipeline::{graph, plan, types};

impl types::Host for State {}
impl graph::Host for State {}
impl plan::Host for State {}
