//! Draws the engine's events: bars for a person, lines for a log.

mod bars;
mod lines;
mod name;

use std::sync::Arc;
use std::time::Duration;

use seed_engine::events::{Event, EventSink, Level};
use seed_report::style::{self, Text};
use seed_report::styled;

use crate::human;
use crate::printer::{Printer, ProgressStyle, Verbosity};
use crate::progress::bars::Bars;
use crate::progress::lines::Lines;

/// Shorter steps are in the summary only; with `-v` all are told.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// The engine's event sink.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Arc<Printer>,
    drawing: Drawing,
}

#[derive(Debug)]
enum Drawing {
    Bars(Bars),
    Lines(Lines),
    Nothing,
}

impl Progress {
    /// A sink that draws as the printer was told to.
    pub(crate) fn new(printer: Arc<Printer>) -> Self {
        let drawing = match printer.progress() {
            ProgressStyle::Bars => Drawing::Bars(Bars::new(printer.bars().clone())),
            ProgressStyle::Lines => Drawing::Lines(Lines::default()),
            ProgressStyle::None => Drawing::Nothing,
        };
        Self { printer, drawing }
    }

    /// Whether the end of a step that took this long is worth a line.
    fn tells(&self, duration: Duration) -> bool {
        let draws = !matches!(self.drawing, Drawing::Nothing);
        draws && (duration >= WORTH_TELLING || self.printer.shows(Verbosity::Verbose))
    }

    fn message(&self, plugin: Option<&str>, level: Level, text: &str) {
        let (needed, prefix) = match level {
            Level::Debug => (Verbosity::Debug, style::dim("debug:")),
            Level::Info => (Verbosity::Verbose, style::bold("info:")),
            Level::Warning => (Verbosity::Normal, style::warning("warning:")),
            Level::Error => (Verbosity::Quiet, style::bad("error:")),
        };
        if self.printer.shows(needed) {
            let speaker = plugin.map(|name| styled!("{}: ", name)).unwrap_or_default();
            // Further lines are indented, so that none looks like a message of its own or, in CI, like a command.
            self.printer.say(&styled!("{} {}{}", prefix, speaker, Text::lines(text, 2)));
        }
    }
}

impl EventSink for Progress {
    fn event(&self, event: Event) {
        match &event {
            Event::Message { plugin, level, text } => self.message(plugin.as_deref(), *level, text),
            Event::BuildLog { derivation, line } if self.printer.shows(Verbosity::Verbose) => {
                let speaker = derivation.as_deref().unwrap_or("nix");
                self.printer.say(&styled!("{} {}", style::dim(format!("{speaker}>")), line));
            }
            Event::StepFinished { step, system, duration, .. } if self.tells(*duration) => {
                let name = name::of_step(*step, system.as_deref());
                self.printer.status(&styled!("{}: {}", name, human::duration(*duration)));
            }
            _ => {}
        }
        match &self.drawing {
            Drawing::Bars(bars) => bars.event(event),
            Drawing::Lines(lines) => {
                if let Some(line) = lines.event(event) {
                    self.printer.status(&line);
                }
            }
            Drawing::Nothing => {}
        }
    }
}
