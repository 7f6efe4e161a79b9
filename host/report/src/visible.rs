//! Text that others wrote, made fit for a terminal: nothing in it moves the cursor, changes colours, reorders what is
//! read or hides.

use std::fmt::Write as _;

/// `text` with everything escaped that a terminal would obey or hide. Its line breaks stay, tabs become four spaces.
///
/// Escaped are control characters (C0 and C1), Unicode's invisible format characters, among them the bidirectional
/// controls, and noncharacters. They are written as Rust writes them: `\u{1b}`. For messages and quoted files; see
/// [`line()`].
pub fn lines(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        push_in_lines(&mut visible, character);
    }
    visible
}

/// As [`lines()`], and line breaks and tabs are escaped too: for names, cells of a table, and all that must stay in its line.
pub fn line(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut visible, character);
    }
    visible
}

/// `json` with the same characters escaped as JSON writes them. The document means what it meant.
pub fn json(json: &str) -> String {
    let mut visible = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_hidden(character) {
            visible.push(character);
        } else {
            // They stand in strings only, where JSON takes UTF-16 code units.
            for unit in character.encode_utf16(&mut [0; 2]) {
                // A `String` takes all that is written.
                let _ = write!(visible, "\\u{unit:04x}");
            }
        }
    }
    visible
}

/// Appends a character of [`lines()`].
pub(crate) fn push_in_lines(visible: &mut String, character: char) {
    match character {
        '\n' => visible.push('\n'),
        '\t' => visible.push_str("    "),
        '\r' => {}
        character => push(visible, character),
    }
}

fn push(visible: &mut String, character: char) {
    if is_hidden(character) {
        visible.extend(character.escape_default());
    } else {
        visible.push(character);
    }
}

/// Whether a terminal shows nothing for `character`, but may change what stands around it: controls, the invisible ones
/// of Unicode's categories Cf, Zl and Zp, and noncharacters, which [`style`](crate::style) uses.
pub fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0 and C1
        | '\u{ad}' // soft hyphen
        | '\u{61c}' // Arabic letter mark
        | '\u{180e}' // Mongolian vowel separator
        | '\u{200b}'..='\u{200f}' // zero width, left-to-right and right-to-left marks
        | '\u{2028}'..='\u{202e}' // line and paragraph separators, bidirectional embeddings and overrides
        | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, bidirectional isolates, deprecated controls
        | '\u{fdd0}'..='\u{fdef}' // noncharacters
        | '\u{feff}' // byte order mark
        | '\u{fff9}'..='\u{fffb}' // interlinear annotations
        | '\u{13430}'..='\u{1343f}' // Egyptian hieroglyph joiners
        | '\u{1bca0}'..='\u{1bca3}' // shorthand controls
        | '\u{1d173}'..='\u{1d17a}' // musical controls
        | '\u{e0000}'..='\u{e007f}' // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(lines("a\u{1b}[2Jb\u{7}c\u{9b}31md\u{7f}"), r"a\u{1b}[2Jb\u{7}c\u{9b}31md\u{7f}");
    }

    #[test]
    fn what_reorders_or_hides_text_is_escaped() {
        for hidden in "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200b}\u{200f}\u{61c}\u{ad}\u{feff}\u{2028}\u{e0041}".chars() {
            let code = u32::from(hidden);
            assert_eq!(line(&format!("gpj{hidden}exe")), format!("gpj\\u{{{code:x}}}exe"));
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in ["naïve café", "e\u{301}", "日本語", "שלום", "مرحبا", "→ ‘quotes’ …", "👍"]
        {
            assert_eq!(lines(text), text);
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn lines_stay_lines_and_a_line_stays_one() {
        assert_eq!(lines("a\r\n\tb"), "a\n    b");
        assert_eq!(line("a\r\n\tb"), r"a\r\n\tb");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let text = "\u{202e}\u{9b}\u{e0041}\u{1b} é";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let shown = super::json(&json);
        assert_eq!(shown, "[\n  \"\\u202e\\u009b\\udb40\\udc41\\u001b é\"\n]");
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [text]);
    }
}
