//! Helpers of this crate's tests.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

use crate::pipeline::Pipeline;
use crate::problem::{Problems, SourceFile};

/// How a terminal shows `error`, without colours.
pub(crate) fn rendered(error: &dyn Diagnostic) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .with_wrap_lines(false)
        .with_links(false)
        .render_report(&mut text, error)
        .unwrap();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Parses `text` as `pipeline.toml`.
pub(crate) fn parse(text: &str) -> Result<Pipeline, Problems> {
    Pipeline::parse(&SourceFile { path: "pipeline.toml".into(), text: text.into() })
}
