//! Where in a file an error is.

use miette::{LabeledSpan, SourceCode};

/// A labelled place with the text around it, as the file has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line above, empty in the first line.
    pub above: String,
    /// The line up to the place.
    pub before: String,
    /// The place itself, as far as it is in its first line.
    pub labelled: String,
    /// The rest of the line.
    pub after: String,
    /// What the error says of the place.
    pub label: String,
}

impl Place {
    /// The place of `label` in `source`; none if it is outside, which is a fault of `seed` that must not hide the error.
    pub fn find(source: &dyn SourceCode, label: &LabeledSpan) -> Option<Self> {
        let contents = source.read_span(label.inner(), 1, 1).ok()?;
        let text = std::str::from_utf8(contents.data()).ok()?;
        let start = label.offset().checked_sub(contents.span().offset())?;
        let (preceding, following) = text.split_at_checked(start)?;
        let (above, before) = preceding.rsplit_once('\n').unwrap_or(("", preceding));
        let rest = following.lines().next().unwrap_or_default();
        let (labelled, after) = rest.split_at_checked(label.len()).unwrap_or((rest, ""));
        Some(Self {
            file: contents.name().unwrap_or("input").to_owned(),
            line: contents.line() + 1 + preceding.matches('\n').count(),
            column: before.chars().count() + 1,
            above: above.lines().last().unwrap_or_default().to_owned(),
            before: before.to_owned(),
            labelled: labelled.to_owned(),
            after: after.to_owned(),
            label: label.label().unwrap_or_default().to_owned(),
        })
    }
}
