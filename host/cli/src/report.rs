//! Tells of the error that ends a command.

use seed_report::json::JsonReport;
use seed_report::{Error, text};

use crate::exit::Exit;
use crate::printer::Printer;

/// Tells of an error: on standard error, or with `--json` as the document on standard output. Gives the exit code.
pub(crate) fn report(error: &Error, printer: &Printer) -> Exit {
    let exit = Exit::from(error.kind());
    printer.end_progress();
    let told = printer.is_json() && printer.json(&JsonReport::new(error, exit.code())).is_ok();
    if !told {
        printer.say(&text::styled(error));
    }
    exit
}
