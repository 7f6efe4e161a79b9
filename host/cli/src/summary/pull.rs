//! What was pulled.

use seed_engine::summary::PullSummary;
use seed_report::style::Text;
use seed_report::styled;

use crate::human;

/// What was added, and what was there.
pub(crate) fn pull(pulled: &PullSummary) -> Text {
    let PullSummary { reference, digest, paths, skipped, added, nar_size, layers, size, .. } = pulled;
    if *added == 0 {
        return styled!("all {} store paths of {} ({}) are already in the store\n", paths, reference, digest);
    }
    let (nar_size, size) = (human::size(*nar_size), human::size(*size));
    let mut text =
        styled!("added {} of {} store paths ({}) from {} ({}); ", added, paths, nar_size, reference, digest);
    text.push(&styled!("{} were already in the store\nread {} layers ({})\n", skipped, layers, size));
    text
}
