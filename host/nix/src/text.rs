//! Texts that come from anywhere, made fit to keep and to read.

use seed_report::visible;

/// A text of one line of at most `limit` characters.
pub(crate) fn plain(text: &str, limit: usize) -> String {
    without_escapes(text).chars().map(|c| if c == '\n' { ' ' } else { c }).take(limit).collect()
}

/// Removes terminal control sequences (ECMA-48 CSI and OSC, and ECMA-35 designations), with which Nix and builders colour what
/// they write, and makes the rest visible.
pub(crate) fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {}
            }
            '\u{1b}' if chars.next_if_eq(&']').is_some() => {
                while chars.next().is_some_and(|c| c != '\u{7}' && c != '\u{1b}') {}
                chars.next_if_eq(&'\\');
            }
            '\u{1b}' if chars.next_if(|c| (' '..='/').contains(c)).is_some() => {
                chars.next();
            }
            c => out.push(c),
        }
    }
    visible::lines(&out)
}

/// Removes the seven columns by which Nix 2.20 and later indent what follows `error:`.
pub(crate) fn dedent(text: &str) -> String {
    text.lines()
        .map(|line| line.strip_prefix("       ").unwrap_or(line).trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}

/// At most `limit` bytes from the end.
pub(crate) fn end_of(text: &str, limit: usize) -> &str {
    let mut start = text.len().saturating_sub(limit);
    while !text.is_char_boundary(start) {
        start = start.saturating_add(1);
    }
    &text[start..]
}

/// At most 200 characters of a text from outside, for messages.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_do_not_reach_the_terminal() {
        assert_eq!(without_escapes("a\u{1b}[31;1mb\u{1b}(B\u{1b}[0m\tc\r\u{7}"), r"ab    c\u{7}");
        assert_eq!(without_escapes("a\u{202e}\u{1b}\u{9b}2J\u{fdd0}"), r"a\u{202e}\u{1b}\u{9b}2J\u{fdd0}");
        assert_eq!(without_escapes("\u{1b}]8;;http://x\u{7}link\u{1b}]0;t\u{1b}\\end\u{1b}["), "linkend");
        assert_eq!(plain("two\nlines", 100), "two lines");
    }

    #[test]
    fn messages_keep_their_end() {
        assert_eq!(end_of("abc…", 4), "c…");
        assert_eq!(end_of("abc…", 2), "");
        assert_eq!(end_of("abc", 10), "abc");
    }
}
