//! The few styles of the output. Text is always styled; whoever prints it removes the styles where they do not belong.

use anstyle::{AnsiColor, Style};

/// Headings and names.
pub fn bold(text: &str) -> String {
    styled(Style::new().bold(), text)
}

/// What matters less.
pub fn dim(text: &str) -> String {
    styled(Style::new().dimmed(), text)
}

/// What went well or was saved.
pub fn good(text: &str) -> String {
    styled(AnsiColor::Green.on_default(), text)
}

/// What needs a look.
pub fn warning(text: &str) -> String {
    styled(AnsiColor::Yellow.on_default().bold(), text)
}

/// What failed.
pub fn bad(text: &str) -> String {
    styled(AnsiColor::Red.on_default().bold(), text)
}

/// Commands and references that a person may copy.
pub fn code(text: &str) -> String {
    styled(AnsiColor::Cyan.on_default(), text)
}

fn styled(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}
