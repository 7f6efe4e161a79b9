//! The few styles of the output, as marks in the text.
//!
//! A mark is one of Unicode's noncharacters, which are for a program's inside only. Text of others cannot bring a style
//! or an escape sequence along: [`visible`] escapes marks and sequences in it, and [`ansi`] writes the
//! sequences of these few styles and no others.

use anstyle::{AnsiColor, Style};

use crate::visible;

const BOLD: char = '\u{fdd0}';
const DIM: char = '\u{fdd1}';
const GOOD: char = '\u{fdd2}';
const WARNING: char = '\u{fdd3}';
const BAD: char = '\u{fdd4}';
const CODE: char = '\u{fdd5}';
const END: char = '\u{fddf}';

/// Headings and names.
pub fn bold(text: &str) -> String {
    marked(BOLD, text)
}

/// What matters less.
pub fn dim(text: &str) -> String {
    marked(DIM, text)
}

/// What went well or was saved.
pub fn good(text: &str) -> String {
    marked(GOOD, text)
}

/// What needs a look.
pub fn warning(text: &str) -> String {
    marked(WARNING, text)
}

/// What failed.
pub fn bad(text: &str) -> String {
    marked(BAD, text)
}

/// Commands and references that a person may copy.
pub fn code(text: &str) -> String {
    marked(CODE, text)
}

/// `text` in one line between two marks; it may come from others.
fn marked(mark: char, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{mark}{}{END}", visible::line(text)) }
}

/// `text` for a terminal: marks become escape sequences, and what is not fit for a terminal is escaped. Line breaks stay.
pub fn ansi(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut style = Style::new();
    for character in text.chars() {
        match character {
            END => written.push_str(&style.render_reset().to_string()),
            character => match style_of(character) {
                Some(marked) => {
                    style = marked;
                    written.push_str(&style.render().to_string());
                }
                None => visible::push_in_lines(&mut written, character),
            },
        }
    }
    written
}

/// `text` without styles, for files, tests and to measure it; otherwise as [`ansi`].
pub fn plain(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !is_mark(*character)) {
        visible::push_in_lines(&mut written, character);
    }
    written
}

/// `text` in one line, with its styles: line breaks in it are escaped.
pub fn line(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r")
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

fn is_mark(character: char) -> bool {
    character == END || style_of(character).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_styles_reach_a_terminal() {
        let text = format!("{} \u{1b}[31m{}\n", bold("a\u{1b}[2J\nb\u{fdd4}"), bad("c"));
        assert_eq!(
            ansi(&text),
            "\u{1b}[1ma\\u{1b}[2J\\nb\\u{fdd4}\u{1b}[0m \\u{1b}[31m\u{1b}[1m\u{1b}[31mc\u{1b}[0m\n"
        );
        assert_eq!(plain(&text), "a\\u{1b}[2J\\nb\\u{fdd4} \\u{1b}[31mc\n");
    }
}
