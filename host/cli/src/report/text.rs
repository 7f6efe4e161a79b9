//! Errors for people, in the form that compilers made familiar. The same on a terminal (with colours) and in a log.

use console::measure_text_width;
use miette::{Diagnostic, SourceCode};

use super::place::Place;
use crate::style;

/// The longest part of a line that is quoted; more would bury the message.
const MAX_QUOTE: usize = 160;

/// An error with its place in the file, its causes and what to do, styled and ended by a line break. Where it sums up
/// others, they come first.
pub(crate) fn render(error: &dyn Diagnostic) -> String {
    let mut text = String::new();
    render_into(&mut text, error, None);
    text
}

fn render_into(text: &mut String, error: &dyn Diagnostic, inherited: Option<&dyn SourceCode>) {
    let source = error.source_code().or(inherited);
    for related in error.related().into_iter().flatten() {
        render_into(text, related, source);
        text.push('\n');
    }
    let code = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
    let head = style::bad(&format!("error{code}:"));
    line(text, &head, 2, &visible(&error.to_string()));
    if let Some(source) = source {
        for label in error.labels().into_iter().flatten() {
            text.extend(Place::find(source, &label).map(|place| quote(&place)));
        }
    }
    // A transparent wrapper and its cause say the same: once is enough.
    let mut said = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| cause.source()) {
        let message = cause.to_string();
        if !said.ends_with(&message) {
            line(text, &style::bold("  cause:"), 9, &visible(&message));
        }
        said = message;
    }
    if let Some(help) = error.help() {
        line(text, &style::good("  help:"), 8, &visible(&help.to_string()));
    }
}

/// `head` and a message whose further lines are indented by `indent`.
fn line(text: &mut String, head: &str, indent: usize, message: &str) {
    for (number, part) in message.trim_end().lines().enumerate() {
        let part = match number {
            0 => format!("{head} {part}"),
            _ => format!("{:indent$}{part}", ""),
        };
        text.push_str(part.trim_end());
        text.push('\n');
    }
}

/// The line of a place with the line above it, and the label under it.
fn quote(place: &Place) -> String {
    let before = tail(&visible(&place.before), MAX_QUOTE / 2);
    let labelled = head(&visible(&place.labelled), MAX_QUOTE / 2);
    let after = head(&visible(&place.after), MAX_QUOTE / 4);
    let number = place.line.to_string();
    let width = number.len();
    let (margin, bar) = (" ".repeat(width), style::dim("|"));
    let padding = " ".repeat(measure_text_width(&before));
    let carets = "^".repeat(measure_text_width(&labelled).max(1));
    let remark = visible(&place.label);
    let mut lines = vec![
        format!("{margin}{} {}:{number}:{}", style::dim("-->"), visible(&place.file), place.column),
        format!("{margin} {bar}"),
    ];
    if !place.above.trim().is_empty() {
        let number = format!("{:>width$}", place.line - 1);
        lines.push(format!("{} {bar} {}", style::dim(&number), head(&visible(&place.above), MAX_QUOTE)));
    }
    lines.push(format!("{} {bar} {before}{labelled}{after}", style::dim(&number)));
    lines.push(format!("{margin} {bar} {padding}{}\n", style::bad(format!("{carets} {remark}").trim_end())));
    lines.join("\n")
}

/// Text without control characters that would move the cursor: file content and remote answers get here.
fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => visible.push('\n'),
            '\t' => visible.push_str("    "),
            '\r' => {}
            character if character.is_control() => visible.extend(character.escape_default()),
            character => visible.push(character),
        }
    }
    visible
}

/// The first `most` characters.
fn head(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars().take(most).chain(['…']).collect()
    }
}

/// The last `most` characters.
fn tail(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        text.to_owned()
    } else {
        ['…'].into_iter().chain(text.chars().skip(count - most)).collect()
    }
}
