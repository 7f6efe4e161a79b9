//! The engine's answers as people read them.

mod inspection;
mod parts;
mod plan;
mod plugin;
mod pull;
mod run;
mod verify;
mod why;

pub(crate) use inspection::inspection;
pub(crate) use plan::plan;
pub(crate) use plugin::plugin;
pub(crate) use pull::pull;
pub(crate) use run::{run, run_shortest};
pub(crate) use verify::verified;
pub(crate) use why::why;
