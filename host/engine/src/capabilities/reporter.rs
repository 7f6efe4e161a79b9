//! Messages and progress of one plugin, as events.

use std::sync::Arc;

use seed_runtime::capabilities::{LogLevel, Reporter};

use crate::events::{Event, Events, Level, TaskKind};

/// Hands on what a plugin reports, and the bytes that HTTP sends for it.
#[derive(Debug)]
pub(crate) struct PluginReporter {
    pub(crate) events: Arc<Events>,
    /// The plugin's name.
    pub(crate) plugin: String,
}

impl Reporter for PluginReporter {
    fn log(&self, level: LogLevel, message: &str) {
        let level = match level {
            LogLevel::Debug => Level::Debug,
            LogLevel::Info => Level::Info,
            LogLevel::Warn => Level::Warning,
            LogLevel::Error => Level::Error,
        };
        self.events.send(Event::Message {
            plugin: Some(self.plugin.clone()),
            level,
            text: message.to_owned(),
        });
    }

    fn progress_start(&self, label: &str, total: Option<u64>) -> u64 {
        self.events.task(TaskKind::Plugin, label, total)
    }

    fn progress_advance(&self, task: u64, amount: u64) {
        self.events.advance(task, amount);
    }

    fn progress_end(&self, task: u64) {
        self.events.finish(task);
    }
}

impl seed_http::Progress for PluginReporter {
    fn start(&self, label: &str, total: u64) -> u64 {
        self.events.task(TaskKind::Plugin, label, Some(total))
    }

    fn advance(&self, task: u64, bytes: u64) {
        self.events.advance(task, bytes);
    }

    fn end(&self, task: u64) {
        self.events.finish(task);
    }
}
