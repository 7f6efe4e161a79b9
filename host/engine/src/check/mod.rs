//! The host's checks of what plugins claim. A wrong plugin gives an error, never a wrong image.

mod config;
mod entries;
mod plan;

pub(crate) use plan::PlanError;
pub(crate) use plan::check_plan;
