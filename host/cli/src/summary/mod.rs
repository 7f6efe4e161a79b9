//! The engine's answers as people read them.

pub(crate) mod inspection;
mod parts;
pub(crate) mod plan;
pub(crate) mod plugin;
pub(crate) mod pull;
pub(crate) mod run;
#[cfg(test)]
mod tests;
pub(crate) mod verify;
pub(crate) mod why_depends;
