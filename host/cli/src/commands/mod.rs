//! One file per command: its arguments, and what it does with the engine's answer.

pub(crate) mod cache;
pub(crate) mod completions;
pub(crate) mod exec;
pub(crate) mod index;
pub(crate) mod init;
pub(crate) mod inspect;
pub(crate) mod plan;
pub(crate) mod plugin;
mod reference;
pub(crate) mod run;
pub(crate) mod verify;
