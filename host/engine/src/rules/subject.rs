//! What rules look at.

use seed_model::{Chains, Closure, StorePath};

use crate::pipeline::Pipeline;
use crate::rules::error::Offender;

/// What is checked.
pub(super) struct Subject<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) system: &'a str,
    pub(super) closure: &'a Closure,
    chains: Chains<'a>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(pipeline: &'a Pipeline, system: &'a str, closure: &'a Closure) -> Self {
        Self { pipeline, system, closure, chains: Chains::new(closure) }
    }

    /// The path with this index, and what is the matter with it.
    pub(super) fn offender(&self, index: u32, reason: String) -> Offender {
        let store_path = self.closure.paths[index as usize].store_path.clone();
        Offender { store_path, reason, chain: self.chains.to(index) }
    }

    /// All paths with their indices.
    pub(super) fn paths(&self) -> impl Iterator<Item = (u32, &'a StorePath)> {
        (0..).zip(&self.closure.paths)
    }
}
