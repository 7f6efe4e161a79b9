//! What Nix reports, as events.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use seed_nix::{Event as NixEvent, Observer};

use crate::events::{Event, Events, Level, TaskKind};

/// Turns the events of one call of Nix into tasks. Tasks that are still open end with it.
#[derive(Debug)]
pub(crate) struct NixProgress {
    events: Arc<Events>,
    builds: RefCell<BTreeMap<String, u64>>,
    /// By Nix's number: the task, and the bytes that are done.
    transfers: RefCell<BTreeMap<u64, (u64, u64)>>,
}

impl NixProgress {
    pub(crate) fn new(events: &Arc<Events>) -> Self {
        Self { events: Arc::clone(events), builds: RefCell::default(), transfers: RefCell::default() }
    }
}

impl Observer for NixProgress {
    fn event(&self, event: &NixEvent) {
        let events = &self.events;
        let mut builds = self.builds.borrow_mut();
        let mut transfers = self.transfers.borrow_mut();
        match event {
            NixEvent::BuildStarted { name, machine, .. } => {
                let label = match machine {
                    Some(machine) => format!("{name} on {machine}"),
                    None => name.clone(),
                };
                let task = events.task(TaskKind::NixBuild, label, None);
                if let Some(replaced) = builds.insert(name.clone(), task) {
                    events.finish(replaced);
                }
            }
            NixEvent::BuildStopped { name } => {
                builds.remove(name).into_iter().for_each(|task| events.finish(task));
            }
            NixEvent::BuildLog { name, line } => {
                events.send(Event::BuildLog { derivation: Some(name.clone()), line: line.clone() });
            }
            NixEvent::TransferStarted { id, what } => {
                let task = events.task(TaskKind::NixTransfer, what.clone(), None);
                if let Some((replaced, _)) = transfers.insert(*id, (task, 0)) {
                    events.finish(replaced);
                }
            }
            NixEvent::TransferProgress { id, done, .. } => {
                if let Some((task, before)) = transfers.get_mut(id) {
                    events.advance(*task, done.saturating_sub(*before));
                    *before = (*before).max(*done);
                }
            }
            NixEvent::TransferStopped { id } => {
                transfers.remove(id).into_iter().for_each(|(task, _)| events.finish(task));
            }
            NixEvent::Warning(text) => events.message(Level::Warning, text.clone()),
            NixEvent::Builds { .. } | NixEvent::BuildPhase { .. } => {}
        }
    }
}

impl Drop for NixProgress {
    fn drop(&mut self) {
        let builds = std::mem::take(self.builds.get_mut()).into_values();
        let transfers = std::mem::take(self.transfers.get_mut()).into_values().map(|(task, _)| task);
        builds.chain(transfers).for_each(|task| self.events.finish(task));
    }
}
