//! Progress as lines, for CI and files: each build once, each long transfer now and then.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use seed_engine::events::{Event, TaskKind};
use seed_report::style::Text;
use seed_report::styled;

use crate::human;

/// Work that is done sooner needs no line of its own; longer work gets one as often as this.
const INTERVAL: Duration = Duration::from_secs(5);

/// What is running, to say something of it from time to time.
#[derive(Debug, Default)]
pub(super) struct Lines {
    tasks: Mutex<BTreeMap<u64, Task>>,
}

#[derive(Debug)]
struct Task {
    label: String,
    total: Option<u64>,
    done: u64,
    spoke: Instant,
}

impl Lines {
    /// The line to print for an event, if any.
    pub(super) fn event(&self, event: Event) -> Option<Text> {
        self.event_at(event, Instant::now())
    }

    fn event_at(&self, event: Event, now: Instant) -> Option<Text> {
        // A panic of another thread leaves at worst a stale count.
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::TaskStarted { kind: TaskKind::NixBuild, label, .. } => {
                Some(styled!("  building {}", label))
            }
            Event::TaskStarted { task, label, total, .. } => {
                tasks.insert(task, Task { label, total, done: 0, spoke: now });
                None
            }
            Event::TaskAdvanced { task, amount } => {
                let task = tasks.get_mut(&task)?;
                task.done = task.done.saturating_add(amount);
                if now.duration_since(task.spoke) < INTERVAL {
                    return None;
                }
                task.spoke = now;
                Some(task.line())
            }
            Event::TaskFinished { task } => {
                tasks.remove(&task);
                None
            }
            _ => None,
        }
    }
}

impl Task {
    fn line(&self) -> Text {
        let done = human::size(self.done);
        let of = self.total.map(|total| format!(" of {}", human::size(total))).unwrap_or_default();
        styled!("  {}: {}{}", self.label, done, of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_transfers_speak_once_per_interval_and_short_ones_never() {
        let lines = Lines::default();
        let start = Instant::now();
        let label = || "layer base".to_owned();
        let began =
            Event::TaskStarted { task: 1, kind: TaskKind::Pack, label: label(), total: Some(4 << 20) };
        let advanced = || Event::TaskAdvanced { task: 1, amount: 1 << 20 };
        assert_eq!(lines.event_at(began, start), None);
        assert_eq!(lines.event_at(advanced(), start), None);
        let later = start + INTERVAL;
        assert_eq!(
            lines.event_at(advanced(), later).unwrap().plain().trim(),
            "layer base: 2.0 MiB of 4.0 MiB"
        );
        assert_eq!(lines.event_at(advanced(), later), None);
        assert_eq!(lines.event_at(Event::TaskFinished { task: 1 }, later), None);
        assert_eq!(lines.event_at(advanced(), later + INTERVAL), None);
    }
}
