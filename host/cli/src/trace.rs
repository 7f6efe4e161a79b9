//! Traces for people who look for a fault: what crosses the edges of our crates, on standard error, where `SEED_LOG` asks.
//!
//! Only our own crates are heard. What libraries trace may hold headers, and so passwords.

use std::io::{self, Write};
use std::sync::Arc;

use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

use crate::environment::TRACE_VARIABLE;
use crate::printer::Printer;
use seed_report::styled;

/// Sends traces to `printer` as `filter` asks: a level, or `CRATE=LEVEL` pairs with commas, such as
/// `seed_http=debug,seed_nix=trace`. Levels: `error`, `warn`, `info`, `debug`, `trace`, `off`.
pub(crate) fn start(filter: &str, printer: &Arc<Printer>) {
    let filter: Targets = match filter.parse() {
        Ok(filter) => filter,
        Err(error) => {
            printer.say(&styled!(
                "warning: `{}` is not a filter ({}); write it as `seed_http=debug`",
                TRACE_VARIABLE,
                error
            ));
            return;
        }
    };
    let ours = filter_fn(|metadata: &Metadata<'_>| metadata.target().starts_with("seed"));
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(Lines(Arc::clone(printer)))
        .without_time()
        .with_filter(filter.and(ours));
    // Fails where a subscriber is set already, which only tests do.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(lines));
}

/// Writes each event as one line, above any bars.
struct Lines(Arc<Printer>);

/// The text of one event.
struct Line<'a> {
    printer: &'a Printer,
    text: Vec<u8>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { printer: &self.0, text: Vec::new() }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.printer.say(&String::from_utf8_lossy(&self.text).trim_end().into());
    }
}
