//! Helpers of this crate's tests.

use miette::Diagnostic;
use seed_report::{Problems, SourceFile, text};

use crate::pipeline::Pipeline;

/// `error` as users see it, without colours.
pub(crate) fn rendered(error: &dyn Diagnostic) -> String {
    text::plain(error)
}

/// Parses `text` as `pipeline.toml`.
pub(crate) fn parse(text: &str) -> Result<Pipeline, Problems> {
    Pipeline::parse(&SourceFile { path: "pipeline.toml".into(), text: text.into() })
}
