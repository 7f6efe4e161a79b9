//! How a task says that it failed.

use miette::Report;

/// Prints an error and what to do about it.
pub(crate) fn print_error(report: &Report) {
    eprintln!("error: {report}");
    if let Some(help) = report.help() {
        eprintln!("help: {help}");
    }
}
