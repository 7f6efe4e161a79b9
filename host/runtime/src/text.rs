//! Text that comes from a component and goes to a terminal.

/// `text` without what a terminal would act on: control characters (but line feeds and tabs) and the characters
/// that change the direction of writing are escaped, and what is beyond `limit` bytes is cut with `…`.
pub(crate) fn printable(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        if out.len() >= limit {
            out.push('…');
            break;
        }
        if acts(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// Whether a terminal would do something else than to show `character`.
fn acts(character: char) -> bool {
    (character.is_control() && character != '\n' && character != '\t')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
