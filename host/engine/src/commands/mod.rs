//! The commands of the engine, one file or directory each.

pub mod cache_pull;
pub mod exec;
pub mod index;
pub(crate) mod init;
pub mod inspect;
pub(crate) mod plan;
pub(crate) mod plugin_inspect;
pub(crate) mod run;
pub mod verify;
pub(crate) mod why;
