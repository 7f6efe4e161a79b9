//! Progress bars: one line per running step, and under it the tasks that run now.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use seed_engine::events::{Event, Step, TaskKind};
use seed_report::visible;

use crate::progress::name;

/// More bars than this push the steps off a small terminal; further tasks are drawn when others end.
const MOST_TASKS: usize = 8;

/// How often spinners turn.
const TICK: Duration = Duration::from_millis(100);

/// Bars on the terminal.
#[derive(Debug)]
pub(super) struct Bars {
    bars: MultiProgress,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    steps: BTreeMap<(Step, Option<String>), ProgressBar>,
    tasks: BTreeMap<u64, ProgressBar>,
}

impl Bars {
    /// Draws on `bars`.
    pub(super) fn new(bars: MultiProgress) -> Self {
        Self { bars, state: Mutex::default() }
    }

    /// Draws one event.
    pub(super) fn event(&self, event: Event) {
        // A panic of another thread leaves at worst a stale bar.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::StepStarted { step, system } => {
                let name = visible::line(&name::of_step(step, system.as_deref()));
                let bar = self.bars.add(ProgressBar::new_spinner().with_style(step_style()));
                bar.set_prefix(name);
                bar.enable_steady_tick(TICK);
                state.steps.insert((step, system), bar);
            }
            Event::StepFinished { step, system, .. } => {
                if let Some(bar) = state.steps.remove(&(step, system)) {
                    bar.finish_and_clear();
                }
            }
            Event::TaskStarted { task, kind, label, total } if state.tasks.len() < MOST_TASKS => {
                let bar = self.bars.add(ProgressBar::no_length().with_style(task_style(kind, total)));
                if let Some(total) = total {
                    bar.set_length(total);
                }
                bar.set_message(visible::line(&label));
                bar.enable_steady_tick(TICK);
                state.tasks.insert(task, bar);
            }
            Event::TaskAdvanced { task, amount } => {
                if let Some(bar) = state.tasks.get(&task) {
                    bar.inc(amount);
                }
            }
            Event::TaskFinished { task } => {
                if let Some(bar) = state.tasks.remove(&task) {
                    bar.finish_and_clear();
                }
            }
            Event::BuildLog { line, .. } => {
                let line = visible::line(&line);
                for bar in state.steps.values() {
                    bar.set_message(line.clone());
                }
            }
            Event::TaskStarted { .. } | Event::Message { .. } => {}
        }
    }
}

fn step_style() -> ProgressStyle {
    template("{spinner} {prefix} {elapsed:.dim} {wide_msg:.dim}")
}

fn task_style(kind: TaskKind, total: Option<u64>) -> ProgressStyle {
    match (kind, total) {
        (TaskKind::NixBuild, _) => template("  {spinner} {elapsed:.dim} {wide_msg}"),
        (_, None) => template("  {spinner} {binary_bytes:>11} {wide_msg}"),
        (_, Some(_)) => template(
            "  {bar:20} {binary_bytes:>11} of {binary_total_bytes}, {binary_bytes_per_sec} {wide_msg}",
        ),
    }
}

fn template(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are valid; a test renders each")
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Instant;

    use indicatif::{InMemoryTerm, ProgressDrawTarget};

    use super::*;

    #[test]
    fn steps_and_tasks_are_drawn_and_then_removed() {
        let terminal = InMemoryTerm::new(20, 70);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let bars = Bars::new(MultiProgress::with_draw_target(target));
        let started =
            |task, kind, label: &str, total| Event::TaskStarted { task, kind, label: label.into(), total };
        bars.event(Event::StepStarted { step: Step::Pack, system: None });
        bars.event(started(1, TaskKind::NixBuild, "hello-2.12", None));
        bars.event(started(2, TaskKind::Pack, "base", Some(4 << 20)));
        bars.event(started(3, TaskKind::Plugin, "upload", None));
        // Other threads draw, line by line, and may be at it.
        let parts = ["pack", "hello-2.12", "of 4.00 MiB", "upload"];
        let deadline = Instant::now() + Duration::from_mins(1);
        while !parts.iter().all(|part| terminal.contents().contains(part)) {
            assert!(Instant::now() < deadline, "not all of {parts:?} are in\n{}", terminal.contents());
            thread::sleep(TICK);
        }
        for task in 1..=3 {
            bars.event(Event::TaskFinished { task });
        }
        bars.event(Event::StepFinished { step: Step::Pack, system: None, duration: TICK, cached: false });
        assert_eq!(terminal.contents(), "");
    }
}
