//! The host's checks of what plugins claim. A wrong plugin gives an error, never a wrong image.

mod annotations;
mod config;
mod entries;
mod error;
mod plan;

pub(crate) use annotations::{UNVERIFIED_ANNOTATION, check_annotations};
pub(crate) use error::PlanError;
pub(crate) use plan::check_plan;
