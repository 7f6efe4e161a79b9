//! What steps are called.

use seed_engine::events::Step;

/// A step, and the system that it is done for.
pub(super) fn of_step(step: Step, system: Option<&str>) -> String {
    match system {
        Some(system) => format!("{step} {system}"),
        None => step.to_string(),
    }
}
