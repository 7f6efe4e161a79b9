//! `max-size`: what the NARs of the closure have together.

use std::cmp::Reverse;

use seed_model::ByteSize;

use crate::rules::error::{Offenders, RuleError};
use crate::rules::subject::Subject;

pub(super) fn check(subject: &Subject<'_>) -> Result<(), RuleError> {
    let Some(limit) = &subject.pipeline.seed.max_size else { return Ok(()) };
    let total = ByteSize(subject.closure.nar_size());
    if total <= *limit.get_ref() {
        return Ok(());
    }
    let mut largest: Vec<_> = subject.paths().collect();
    largest.sort_by_key(|(index, path)| (Reverse(path.nar_size), *index));
    let offender = |(index, path): (u32, &seed_model::StorePath)| {
        subject.offender(index, ByteSize(path.nar_size).to_string())
    };
    Err(RuleError::Size {
        system: subject.system.to_owned(),
        total,
        limit: *limit.get_ref(),
        offenders: Offenders(largest.into_iter().map(offender).collect()),
        file: subject.pipeline.file.named(),
        place: limit.span().into(),
    })
}
