//! `[seed.forbid]`: groups of content, and packages by name.

use miette::SourceSpan;

use crate::rules::content::ContentMatch;
use crate::rules::error::{Offenders, RuleError};
use crate::rules::legal;
use crate::rules::pattern::is_name;
use crate::rules::subject::Subject;

pub(super) fn check(subject: &Subject<'_>, found: &[ContentMatch]) -> Result<(), RuleError> {
    let forbid = &subject.pipeline.seed.forbid;
    let (mut offenders, mut places) = (Vec::new(), Vec::<SourceSpan>::new());
    for (kind, group) in (legal::KIND + 1..).zip(&forbid.groups) {
        let before = offenders.len();
        for found in found.iter().filter(|found| found.kind == kind) {
            let (group, file) = (group.get_ref().name(), found.file.escape_debug());
            offenders.push(subject.offender(found.path, format!("`{group}`: it contains `{file}`")));
        }
        if offenders.len() > before {
            places.push(group.span().into());
        }
    }
    for pattern in &forbid.names {
        let before = offenders.len();
        let met = subject.paths().filter(|(_, path)| is_name(pattern.get_ref(), path.name()));
        offenders.extend(met.map(|(index, _)| subject.offender(index, format!("`{}`", pattern.get_ref()))));
        if offenders.len() > before {
            places.push(pattern.span().into());
        }
    }
    if offenders.is_empty() {
        return Ok(());
    }
    Err(RuleError::Forbidden {
        system: subject.system.to_owned(),
        offenders: Offenders(offenders),
        file: subject.pipeline.file.named(),
        places,
    })
}
