//! Errors for people, in the form that compilers made familiar. The same on a terminal (with colours) and in a log.

use miette::{Diagnostic, SourceCode};
use unicode_width::UnicodeWidthStr;

use crate::place::Place;
use crate::style::{self, Text};
use crate::{styled, visible};

/// The longest part of a line that is quoted; more would bury the message.
const MAX_QUOTE: usize = 160;

/// An error with its place in the file, its causes and what to do, styled and ended by a line break. Where it sums up
/// others, they come first.
pub fn styled(error: &dyn Diagnostic) -> Text {
    let mut text = Text::default();
    render_into(&mut text, error, None);
    text
}

/// As [`styled()`], without styles: for logs, files and tests.
pub fn plain(error: &dyn Diagnostic) -> String {
    styled(error).plain()
}

fn render_into(text: &mut Text, error: &dyn Diagnostic, inherited: Option<&dyn SourceCode>) {
    let source = error.source_code().or(inherited);
    for related in error.related().into_iter().flatten() {
        render_into(text, related, source);
        text.push(&styled!("\n"));
    }
    let code = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
    line(text, &style::bad(format!("error{code}:")), 2, &error.to_string());
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
            line(text, &style::bold("  cause:"), 9, &message);
        }
        said = message;
    }
    if let Some(help) = error.help() {
        line(text, &style::good("  help:"), 8, &help.to_string());
    }
}

/// `head` and a message whose further lines are indented by `indent`.
fn line(text: &mut Text, head: &Text, indent: usize, message: &str) {
    let indent = " ".repeat(indent);
    for (number, part) in visible::lines(message).trim_end().lines().enumerate() {
        let part = match number {
            0 => styled!("{} {}", head, part),
            _ => styled!("{}{}", indent, part),
        };
        text.push(&styled!("{}\n", part.trimmed()));
    }
}

/// The line of a place with the line above it, and the label under it.
fn quote(place: &Place) -> Text {
    let before = tail(&visible::lines(&place.before), MAX_QUOTE / 2);
    let labelled = head(&visible::lines(&place.labelled), MAX_QUOTE / 2);
    let after = head(&visible::lines(&place.after), MAX_QUOTE / 4);
    let number = place.line.to_string();
    let width = number.len();
    let (margin, bar) = (" ".repeat(width), style::dim("|"));
    let padding = " ".repeat(before.width());
    let carets = "^".repeat(labelled.width().max(1));
    let remark = format!("{carets} {}", visible::line(&place.label));
    let mut text = styled!("{}{} {}:{}:{}\n", margin, style::dim("-->"), place.file, number, place.column);
    text.push(&styled!("{} {}\n", margin, bar));
    if !place.above.trim().is_empty() {
        let number = format!("{:>width$}", place.line - 1);
        let above = head(&visible::lines(&place.above), MAX_QUOTE);
        text.push(&styled!("{} {} {}\n", style::dim(number), bar, above));
    }
    text.push(&styled!("{} {} {}{}{}\n", style::dim(&number), bar, before, labelled, after));
    text.push(&styled!("{} {} {}{}\n", margin, bar, padding, style::bad(remark.trim_end())));
    text
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::problem::{Problem, Problems, SourceFile};
    use crate::testing::problems;

    #[test]
    fn one_problem_quotes_its_line() {
        insta::assert_snapshot!(plain(&problems(1)), @r#"
        error[seed::pipeline::unknown-key]: pipeline.toml: unknown key `plugn` in `[select]`
         --> pipeline.toml:4:1
          |
        3 | [select]
        4 | plugn = "builtin:standard-layers"
          | ^^^^^ not a key of `[select]`
          help: did you mean `plugin`?
        "#);
    }

    #[test]
    fn several_problems_are_all_shown() {
        insta::assert_snapshot!(plain(&problems(2)), @r#"
        error[seed::pipeline::unknown-key]: unknown key `plugn` in `[select]`
         --> pipeline.toml:4:1
          |
        3 | [select]
        4 | plugn = "builtin:standard-layers"
          | ^^^^^ not a key of `[select]`
          help: did you mean `plugin`?

        error[seed::pipeline::unknown-key]: unknown key `plugn` in `[select]`
         --> pipeline.toml:4:1
          |
        3 | [select]
        4 | plugn = "builtin:standard-layers"
          | ^^^^^ not a key of `[select]`
          help: did you mean `plugin`?

        error: pipeline.toml has 2 problems
        "#);
    }

    #[test]
    fn causes_are_shown_once_and_control_characters_never() {
        #[derive(Debug, thiserror::Error, Diagnostic)]
        #[error("registry answered: {answer}")]
        #[diagnostic(code("seed::test::answer"), help("first line\nsecond line"))]
        struct Answer {
            answer: &'static str,
            source: std::io::Error,
        }
        let full = std::io::Error::other("no space left");
        let error =
            Answer { answer: "\u{1b}[2Jgone\nmo\u{fdd0}re\u{202e}", source: std::io::Error::other(full) };
        insta::assert_snapshot!(plain(&error), @r#"
        error[seed::test::answer]: registry answered: \u{1b}[2Jgone
          mo\u{fdd0}re\u{202e}
          cause: no space left
          help: first line
                second line
        "#);
    }

    #[test]
    fn a_long_line_is_cut_around_its_label() {
        let text = format!("key = \"{}\"\t# \u{1b}[31m{}\n", "ä".repeat(300), "c".repeat(300));
        let file = SourceFile { path: PathBuf::from("long.toml"), text: text.into() };
        let problem = Problem {
            code: "seed::test::long".into(),
            message: "too long".into(),
            label: "here".into(),
            span: Some(601..605),
            help: None,
        };
        let error = Problems::check(&file, vec![problem]).unwrap_err();
        insta::assert_snapshot!(plain(&error), @r#"
        error[seed::test::long]: long.toml: too long
         --> long.toml:1:305
          |
        1 | …äääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääääää"    # \u{1b}[31mcccccccccccccccccccccc…
          |                                                                                  ^^ here
        "#);
    }
}
