//! Between the contract's types and those of `seed-model`, one file per interface.
//!
//! What comes from a component is checked where its type says less than the contract (digests, unique names), and
//! text that people will read is made fit for a terminal. What needs knowledge of the run (does every path of the
//! closure stand in the plan, does a signature verify) is checked by the engine.

mod http;
mod packing;
mod plugin;
mod publishing;
mod selection;
mod signing;
mod types;

pub(super) use http::request;
pub(super) use packing::{codec, image};
pub(super) use plugin::description;
pub(super) use publishing::{files, published};
pub(super) use selection::image_plan;
pub(super) use signing::signed;
pub(super) use types::digest;
