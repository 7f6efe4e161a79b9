//! The commands of the engine, one file or directory each.

pub(crate) mod cache_pull;
pub(crate) mod exec;
pub(crate) mod index;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod plan;
pub(crate) mod plugin_inspect;
pub(crate) mod run;
pub(crate) mod verify;
pub(crate) mod why_depends;
