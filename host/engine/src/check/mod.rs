//! The host's checks of what plugins claim. A wrong plugin gives an error, never a wrong image.

mod config;
mod entries;
mod error;
mod plan;

pub(crate) use error::PlanError;
pub(crate) use plan::check_plan;
