//! The only way to the terminal: data on standard output, everything else on standard error. It takes [`Text`], in which
//! text of others is made visible.

use std::io::{self, ErrorKind, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use indicatif::{MultiProgress, ProgressDrawTarget};
use seed_report::style::Text;
use seed_report::{Kind, Report, visible};
use serde::Serialize;

use crate::environment;
use crate::terminal::{ColorWhen, GlobalArgs, ProgressWhen};

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Errors only.
    Quiet,
    /// What a person wants to follow.
    Normal,
    /// Plugins' informational messages, builders' output.
    Verbose,
    /// Everything.
    Debug,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProgressStyle {
    /// Bars that redraw themselves.
    Bars,
    /// One line per event.
    Lines,
    /// Nothing.
    None,
}

/// Standard output does not take what we write.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("cannot write to standard output")]
#[diagnostic(code("seed::cli::output"), help("free disk space, or check the program that reads the output"))]
pub(crate) struct OutputError(#[source] io::Error);

impl Report for OutputError {
    fn kind(&self) -> Kind {
        Kind::Failed
    }
}

/// Writes for people and for machines.
#[derive(Debug)]
pub(crate) struct Printer {
    stdout: ColorChoice,
    stderr: ColorChoice,
    verbosity: Verbosity,
    progress: ProgressStyle,
    json: bool,
    bars: MultiProgress,
}

impl Printer {
    /// A printer as the global options, the environment and the terminal ask.
    pub(crate) fn new(args: &GlobalArgs) -> Self {
        let choice = |auto: ColorChoice| match args.color {
            ColorWhen::Auto => auto,
            ColorWhen::Always => ColorChoice::Always,
            ColorWhen::Never => ColorChoice::Never,
        };
        let verbosity = match (args.quiet, args.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, 1) => Verbosity::Verbose,
            (false, _) => Verbosity::Debug,
        };
        let progress = match args.progress {
            _ if args.quiet => ProgressStyle::None,
            ProgressWhen::Bar => ProgressStyle::Bars,
            ProgressWhen::None => ProgressStyle::None,
            ProgressWhen::Auto if draws_bars() => ProgressStyle::Bars,
            ProgressWhen::Plain | ProgressWhen::Auto => ProgressStyle::Lines,
        };
        Self {
            stdout: choice(AutoStream::choice(&io::stdout())),
            stderr: choice(AutoStream::choice(&io::stderr())),
            verbosity,
            progress,
            json: args.json,
            bars: MultiProgress::with_draw_target(draw_target(progress)),
        }
    }

    /// How progress is to be shown.
    pub(crate) fn progress(&self) -> ProgressStyle {
        self.progress
    }

    /// The bars, which share standard error with the lines.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Whether data is wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// How much is said.
    pub(crate) fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// Whether as much as `verbosity` is wanted.
    pub(crate) fn shows(&self, verbosity: Verbosity) -> bool {
        self.verbosity >= verbosity
    }

    /// Draws bars again after [`end_progress`](Self::end_progress).
    pub(crate) fn resume_progress(&self) {
        self.bars.set_draw_target(draw_target(self.progress));
    }

    /// Removes all bars, also those of work that failed in between. Nothing is drawn afterwards.
    pub(crate) fn end_progress(&self) {
        // A terminal that takes no more lines takes no bars either.
        let _ = self.bars.clear();
        self.bars.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Writes the result of the command to standard output.
    pub(crate) fn data(&self, text: &Text) -> Result<(), OutputError> {
        self.write(&text.ansi())
    }

    /// Writes a file of our own making to standard output. What a terminal would obey or hide is escaped.
    pub(crate) fn file(&self, text: &str) -> Result<(), OutputError> {
        self.write(&visible::file(text))
    }

    /// A reader that has gone away (`seed plan | head`) is no error.
    fn write(&self, text: &str) -> Result<(), OutputError> {
        self.end_progress();
        let mut stream = AutoStream::new(io::stdout().lock(), self.stdout);
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(OutputError),
        }
    }

    /// Writes the result of the command to standard output as one JSON document.
    pub(crate) fn json<T: Serialize>(&self, value: &T) -> Result<(), OutputError> {
        let mut text = serde_json::to_string_pretty(value).map_err(|error| OutputError(error.into()))?;
        text.push('\n');
        self.write(&visible::json(&text))
    }

    /// A line for a person who follows, unless `--quiet`.
    pub(crate) fn status(&self, line: &Text) {
        if self.shows(Verbosity::Normal) {
            self.say(line);
        }
    }

    /// Text on standard error whatever the verbosity, above any bars.
    pub(crate) fn say(&self, text: &Text) {
        self.bars.suspend(|| {
            let mut stream = AutoStream::new(io::stderr().lock(), self.stderr);
            // Nobody is left to be told when standard error itself fails.
            let _ = writeln!(stream, "{}", text.trimmed().ansi());
        });
    }
}

fn draw_target(progress: ProgressStyle) -> ProgressDrawTarget {
    match progress {
        ProgressStyle::Bars => ProgressDrawTarget::stderr(),
        ProgressStyle::Lines | ProgressStyle::None => ProgressDrawTarget::hidden(),
    }
}

/// Bars need a terminal that moves its cursor, and a person in front of it.
fn draws_bars() -> bool {
    io::stderr().is_terminal() && !environment::has_dumb_terminal() && !environment::in_ci()
}
