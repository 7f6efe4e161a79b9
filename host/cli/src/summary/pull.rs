//! What was pulled.

use seed_engine::summary::PullSummary;

use crate::human;

/// What was added, and what was there.
pub(crate) fn pull(pulled: &PullSummary) -> String {
    let PullSummary { reference, digest, paths, skipped, added, nar_size, layers, size, .. } = pulled;
    if *added == 0 {
        return format!("all {paths} store paths of {reference} ({digest}) are already in the store\n");
    }
    format!(
        "added {added} of {paths} store paths ({}) from {reference} ({digest}); {skipped} were already in the store\n\
         read {layers} layers ({})\n",
        human::size(*nar_size),
        human::size(*size)
    )
}
