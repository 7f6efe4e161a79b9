//! What an image may hold: `max-size` and `[seed.forbid]` of the pipeline file, and that nothing of Apple's SDKs is
//! passed on. Checked on what was built, before anything is packed.

mod content;
mod error;
mod forbid;
mod legal;
mod pattern;
mod size;

use seed_model::{Chains, Closure, StorePath};

use crate::pipeline::Pipeline;
use crate::source::Built;
use crate::stages::Context;
use crate::summary::LegalSummary;

pub use error::{Offender, Offenders, RuleError};
pub(crate) use legal::APPLE_SDK_ANNOTATION;
pub(crate) use pattern::is_name;

use content::{Found, Kind};

/// Checks what was built for `system`. Gives what is in it by a grant; none where there is no grant.
pub(crate) fn check(
    context: &Context<'_>,
    system: &str,
    built: &Built,
) -> Result<Option<LegalSummary>, RuleError> {
    let seed = &context.pipeline.seed;
    let groups = seed.forbid.groups.iter().map(|group| Kind::Group(*group.get_ref()));
    let kinds: Vec<Kind> = std::iter::once(Kind::AppleSdk).chain(groups).collect();
    let found = content::find(context, built, &kinds)?;
    Subject::new(context.pipeline, system, &built.closure).check(&found)
}

/// What is checked.
struct Subject<'a> {
    pipeline: &'a Pipeline,
    system: &'a str,
    closure: &'a Closure,
    chains: Chains<'a>,
}

impl<'a> Subject<'a> {
    fn new(pipeline: &'a Pipeline, system: &'a str, closure: &'a Closure) -> Self {
        Self { pipeline, system, closure, chains: Chains::new(closure) }
    }

    /// `found` is what paths were found to hold: of Apple's SDKs first, then of each group in the order of the file.
    fn check(&self, found: &[Found]) -> Result<Option<LegalSummary>, RuleError> {
        let legal = legal::check(self, found)?;
        forbid::check(self, found)?;
        size::check(self)?;
        Ok(legal)
    }

    /// The path with this index, and what is the matter with it.
    fn offender(&self, index: u32, reason: String) -> Offender {
        let store_path = self.closure.paths[index as usize].store_path.clone();
        Offender { store_path, reason, chain: self.chains.to(index) }
    }

    /// All paths with their indices.
    fn paths(&self) -> impl Iterator<Item = (u32, &'a StorePath)> {
        (0..).zip(&self.closure.paths)
    }
}

#[cfg(test)]
mod tests;
