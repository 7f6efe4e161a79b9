//! What an image may hold: `max-size` and `[seed.forbid]` of the pipeline file, and that nothing of Apple's SDKs is
//! passed on. Checked on what was built, before anything is packed.

mod content;
mod error;
mod forbid;
mod legal;
mod pattern;
mod size;
mod subject;

use crate::pipeline::Pipeline;
use crate::source::Built;
use crate::stage_cache::StageCache;
use crate::summary::LegalSummary;

use content::{ContentMatch, Kind};
use error::RuleError;
use subject::Subject;

pub(crate) use legal::APPLE_SDK_ANNOTATION;
pub(crate) use pattern::is_name;

/// Checks what was built for `system`. Gives what is in it by a grant; none if there is no grant. What was
/// looked for before is `remembered`.
pub(crate) fn check(
    pipeline: &Pipeline,
    remembered: &StageCache,
    system: &str,
    built: &Built,
) -> Result<Option<LegalSummary>, RuleError> {
    let groups = pipeline.seed.forbid.groups.iter().map(|group| Kind::Group(*group.get_ref()));
    let kinds: Vec<Kind> = std::iter::once(Kind::AppleSdk).chain(groups).collect();
    let found = content::find(remembered, built, &kinds)?;
    check_subject(&Subject::new(pipeline, system, &built.closure), &found)
}

/// `found` is what paths were found to hold: of Apple's SDKs first, then of each group in the order of the file.
fn check_subject(subject: &Subject<'_>, found: &[ContentMatch]) -> Result<Option<LegalSummary>, RuleError> {
    let legal = legal::check(subject, found)?;
    forbid::check(subject, found)?;
    size::check(subject)?;
    Ok(legal)
}

#[cfg(test)]
mod tests;
