//! What a run tells while it works. The command line draws it; nothing here affects a result.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// One step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Plugins are read, checked against their pins and compiled.
    Plugins,
    /// The flake is evaluated, or directories are listed.
    Evaluate,
    /// Nix builds, or directories are hashed.
    Build,
    /// The selection plugin chooses layers.
    Select,
    /// Layers become blobs.
    Pack,
    /// Images of other runs are found and checked.
    Fetch,
    /// Signing plugins sign.
    Sign,
    /// Publishing plugins publish.
    Publish,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plugins => "plugins",
            Self::Evaluate => "evaluate",
            Self::Build => "build",
            Self::Select => "select",
            Self::Pack => "pack",
            Self::Fetch => "fetch",
            Self::Sign => "sign",
            Self::Publish => "publish",
        })
    }
}

/// How long a step took.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StepTime {
    pub step: Step,
    /// Wall-clock milliseconds.
    pub milliseconds: u64,
    /// Whether the results of an earlier run were used for all of it.
    pub cached: bool,
}

/// What kind of work a task is, and so the unit of its amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// Nix builds a derivation; no amounts.
    NixBuild,
    /// Nix downloads or copies; bytes.
    NixTransfer,
    /// Store paths are read into layers; bytes of NAR.
    Pack,
    /// A layer is fetched for the store paths in it; bytes.
    Fetch,
    /// Work that a plugin reports; bytes, as for uploads.
    Plugin,
}

/// How loud a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Shown with `-vv`.
    Debug,
    /// Shown with `-v`.
    Info,
    /// Always shown.
    Warning,
    /// Always shown.
    Error,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step begins, for one system where the step is done per system.
    StepStarted { step: Step, system: Option<String> },
    /// A step ended well.
    StepFinished {
        step: Step,
        system: Option<String>,
        /// How long it took.
        duration: Duration,
        /// Whether the result of an earlier run was used.
        cached: bool,
    },
    /// A task begins inside a step.
    TaskStarted {
        /// Names the task in later events; unique in one run.
        task: u64,
        /// What kind of work it is.
        kind: TaskKind,
        /// One line for people, without control characters.
        label: String,
        /// The expected amount, if it is known.
        total: Option<u64>,
    },
    /// More of a task is done.
    TaskAdvanced {
        task: u64,
        /// How much more.
        amount: u64,
    },
    /// A task ended, done or not.
    TaskFinished { task: u64 },
    /// A line that a builder or Nix itself wrote.
    BuildLog {
        /// The derivation's name; none if Nix itself speaks.
        derivation: Option<String>,
        /// The line, without control characters.
        line: String,
    },
    /// A message, of a plugin or of the engine.
    Message {
        /// The plugin's name; none if the engine speaks.
        plugin: Option<String>,
        /// How loud it is.
        level: Level,
        /// The text, without control characters.
        text: String,
    },
}

/// Takes events, from several threads at once. Must not block for long: packing waits for it.
pub trait EventSink: Send + Sync + fmt::Debug {
    /// Takes one event.
    fn event(&self, event: Event);
}

/// A sink that drops everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl EventSink for Silent {
    fn event(&self, _: Event) {}
}

/// The events of one run: numbers its tasks and times its steps.
#[derive(Debug)]
pub(crate) struct Events {
    sink: Arc<dyn EventSink>,
    next_task: AtomicU64,
    /// One for each step that was done.
    times: Mutex<Vec<StepTime>>,
}

impl Events {
    pub(crate) fn new(sink: Arc<dyn EventSink>) -> Self {
        Self { sink, next_task: AtomicU64::new(0), times: Mutex::default() }
    }

    pub(crate) fn send(&self, event: Event) {
        self.sink.event(event);
    }

    /// Starts a task and gives its number.
    pub(crate) fn task(&self, kind: TaskKind, label: impl Into<String>, total: Option<u64>) -> u64 {
        let task = self.next_task.fetch_add(1, Ordering::Relaxed);
        self.send(Event::TaskStarted { task, kind, label: label.into(), total });
        task
    }

    pub(crate) fn advance(&self, task: u64, amount: u64) {
        self.send(Event::TaskAdvanced { task, amount });
    }

    pub(crate) fn finish(&self, task: u64) {
        self.send(Event::TaskFinished { task });
    }

    /// A message of the engine itself.
    pub(crate) fn message(&self, level: Level, text: impl Into<String>) {
        self.send(Event::Message { plugin: None, level, text: text.into() });
    }

    /// Does `work` as a step. `work` says with its result whether all of it came from an earlier run.
    #[expect(clippy::disallowed_methods, reason = "measures how long a step takes, which no image holds")]
    pub(crate) fn step<T, E>(
        &self,
        step: Step,
        system: Option<&str>,
        work: impl FnOnce() -> Result<(T, bool), E>,
    ) -> Result<T, E> {
        let system = system.map(str::to_owned);
        self.send(Event::StepStarted { step, system: system.clone() });
        let start = Instant::now();
        let (result, cached) = work()?;
        let duration = start.elapsed();
        tracing::debug!(%step, system, milliseconds = duration.as_millis(), cached, "step");
        self.send(Event::StepFinished { step, system, duration, cached });
        self.add_time(StepTime {
            step,
            milliseconds: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            cached,
        });
        Ok(result)
    }

    /// How long each step took, in the order of the steps, summed over systems.
    pub(crate) fn times(&self) -> Vec<StepTime> {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner).clone();
        times.sort_by_key(|time| time.step);
        times
    }

    fn add_time(&self, new: StepTime) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        match times.iter_mut().find(|time| time.step == new.step) {
            Some(time) => {
                time.milliseconds = time.milliseconds.saturating_add(new.milliseconds);
                time.cached &= new.cached;
            }
            None => times.push(new),
        }
    }
}
