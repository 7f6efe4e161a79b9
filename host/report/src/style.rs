//! Text for a terminal, and the few styles in it.
//!
//! [`Text`] can only be made of texts that were made [`visible`] and of styles from here, so that text of others cannot bring
//! a style or an escape sequence along, and a printer that takes nothing else lets nothing else through. Make one with
//! [`styled!`](crate::styled).
//!
//! Inside, a style is a mark: one of Unicode's noncharacters, which are for a program's inside only. [`visible`] escapes
//! marks in text of others.
#![expect(
    clippy::needless_pass_by_value,
    reason = "so that callers write `bold(name)`, whatever the name is"
)]

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use crate::visible;

const BOLD: char = '\u{fdd0}';
const DIM: char = '\u{fdd1}';
const GOOD: char = '\u{fdd2}';
const WARNING: char = '\u{fdd3}';
const BAD: char = '\u{fdd4}';
const CODE: char = '\u{fdd5}';
const END: char = '\u{fddf}';

/// Text that is fit for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(String);

/// A piece of a [`Text`]: another one as it is, anything else in one line, made visible.
pub trait Shown {
    /// The piece, with marks.
    fn shown(&self) -> String;
}

impl<T: Display + ?Sized> Shown for T {
    fn shown(&self) -> String {
        visible::line(&self.to_string())
    }
}

impl Shown for Text {
    fn shown(&self) -> String {
        self.0.clone()
    }
}

impl Shown for &Text {
    fn shown(&self) -> String {
        self.0.clone()
    }
}

/// `format!` for a [`Text`](crate::style::Text): each argument is shown as [`Shown`](crate::style::Shown) says. Names in
/// braces are an error; write `{}` and an argument.
#[macro_export]
macro_rules! styled {
    // `concat!` keeps the format from capturing variables, which would get past `shown`.
    ($format:literal $(, $argument:expr)* $(,)?) => {
        $crate::style::Text::assembled(format!(concat!($format) $(, $crate::style::Shown::shown(&$argument))*))
    };
}

/// In one line: line breaks are escaped.
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(visible::line(text))
    }
}

/// In one line: line breaks are escaped.
impl From<String> for Text {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl FromIterator<Self> for Text {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

impl Extend<Self> for Text {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, parts: I) {
        self.0.extend(parts.into_iter().map(|part| part.0));
    }
}

impl Text {
    /// For [`styled!`](crate::styled), which makes every piece visible.
    #[doc(hidden)]
    pub fn assembled(text: String) -> Self {
        Self(text)
    }

    /// `text` of others with its line breaks; each line but the first is indented by so many spaces, so that none looks like
    /// a message of its own.
    pub fn lines(text: &str, indent: usize) -> Self {
        Self(visible::lines(text).replace('\n', &format!("\n{:indent$}", "")))
    }

    /// Appends `other`.
    pub fn push(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// The texts with `separator` between them.
    pub fn joined(texts: impl IntoIterator<Item = Self>, separator: &str) -> Self {
        let texts: Vec<_> = texts.into_iter().map(|text| text.0).collect();
        Self(texts.join(&visible::line(separator)))
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Without white space at the end.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        Self(self.0.trim_end().to_owned())
    }

    /// The columns that it takes on a terminal.
    pub fn width(&self) -> usize {
        self.plain().width()
    }

    /// For a terminal: marks become escape sequences.
    pub fn ansi(&self) -> String {
        let mut written = String::with_capacity(self.0.len());
        let mut style = Style::new();
        for character in self.0.chars() {
            match (character, style_of(character)) {
                (END, _) => written.push_str(&style.render_reset().to_string()),
                (_, Some(marked)) => {
                    style = marked;
                    written.push_str(&style.render().to_string());
                }
                (_, None) => written.push(character),
            }
        }
        written
    }

    /// Without styles, for files, logs and tests.
    pub fn plain(&self) -> String {
        self.0.chars().filter(|character| *character != END && style_of(*character).is_none()).collect()
    }
}

/// Headings and names.
pub fn bold(text: impl Shown) -> Text {
    marked(BOLD, &text)
}

/// What matters less.
pub fn dim(text: impl Shown) -> Text {
    marked(DIM, &text)
}

/// What went well or was saved.
pub fn good(text: impl Shown) -> Text {
    marked(GOOD, &text)
}

/// What needs a look.
pub fn warning(text: impl Shown) -> Text {
    marked(WARNING, &text)
}

/// What failed.
pub fn bad(text: impl Shown) -> Text {
    marked(BAD, &text)
}

/// Commands and references that a person may copy.
pub fn code(text: impl Shown) -> Text {
    marked(CODE, &text)
}

/// `text` between two marks.
fn marked(mark: char, text: &impl Shown) -> Text {
    let text = text.shown();
    Text(if text.is_empty() { text } else { format!("{mark}{text}{END}") })
}

fn style_of(mark: char) -> Option<Style> {
    let style = match mark {
        BOLD => Style::new().bold(),
        DIM => Style::new().dimmed(),
        GOOD => AnsiColor::Green.on_default(),
        WARNING => AnsiColor::Yellow.on_default().bold(),
        BAD => AnsiColor::Red.on_default().bold(),
        CODE => AnsiColor::Cyan.on_default(),
        _ => return None,
    };
    Some(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_styles_reach_a_terminal() {
        let foreign = "\u{1b}[31m\u{fdd0}";
        let text = styled!("{} {:>3}{}\n", bold("a\u{1b}[2J\nb\u{fdd4}"), 7, bad(foreign));
        assert_eq!(
            text.ansi(),
            "\u{1b}[1ma\\u{1b}[2J\\nb\\u{fdd4}\u{1b}[0m   7\u{1b}[1m\u{1b}[31m\\u{1b}[31m\\u{fdd0}\u{1b}[0m\n"
        );
        assert_eq!(text.plain(), "a\\u{1b}[2J\\nb\\u{fdd4}   7\\u{1b}[31m\\u{fdd0}\n");
        assert_eq!(styled!("{}", foreign).plain(), r"\u{1b}[31m\u{fdd0}");
        assert_eq!(Text::lines("a\u{fdd0}\nb", 2).plain(), "a\\u{fdd0}\n  b");
        assert_eq!(Text::from("a\nb").plain(), r"a\nb");
        assert_eq!(styled!("[{}]", styled!("{}", "x")).width(), 3);
    }
}
