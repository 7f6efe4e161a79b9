//! Text that comes from a component and goes to a terminal.

use seed_report::visible::is_hidden;

/// `text` with everything escaped that a terminal would act on, but line feeds and tabs; what is beyond `limit` bytes is
/// cut with `…`.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        if out.len() >= limit {
            out.push('…');
            break;
        }
        if is_hidden(character) && !matches!(character, '\n' | '\t') {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_escaped_and_long_text_is_cut() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n\tc\u{202e}", 100), "a\\u{1b}[2Jb\\r\n\tc\\u{202e}");
        assert_eq!(printable("äöü", 4), "äö…");
        assert_eq!(printable("äö", 4), "äö");
    }
}
