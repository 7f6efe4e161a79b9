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

/// `text` as [`lines()`] escapes it, with its tabs: for whole files, such as scripts, that contain none of the others.
pub fn file(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => visible.push(character),
            character => push(&mut visible, character),
        }
    }
    visible
}

/// As [`line()`], of at most `limit` characters of `text`; what follows is cut off with `…`.
pub fn clip(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => line(&text[..end]) + "…",
        None => line(text),
    }
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

/// Whether a terminal shows nothing for `character`, but may change what stands around it: controls, all of Unicode's
/// categories Cf, Zl and Zp, what Unicode calls ignorable by default, blanks that are letters, and noncharacters, which
/// [`style`](crate::style) uses. The two selectors that tell text from emoji are not among them: people write those.
pub fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0 and C1
        | '\u{ad}' // soft hyphen
        | '\u{34f}' // combining grapheme joiner
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}' // Arabic and Syriac signs
        | '\u{61c}' // Arabic letter mark
        | '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}'..='\u{17b5}' // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}' // Mongolian selectors and vowel separator
        | '\u{200b}'..='\u{200f}' // zero width, left-to-right and right-to-left marks
        | '\u{2028}'..='\u{202e}' // line and paragraph separators, bidirectional embeddings and overrides
        | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, bidirectional isolates, deprecated controls
        | '\u{2800}' // blank Braille pattern
        | '\u{fdd0}'..='\u{fdef}' // noncharacters
        | '\u{fe00}'..='\u{fe0d}' // variation selectors but for text and emoji
        | '\u{feff}' // byte order mark
        | '\u{fff0}'..='\u{fffb}' // ignorable, interlinear annotations
        | '\u{110bd}' | '\u{110cd}' // Kaithi number signs
        | '\u{13430}'..='\u{1343f}' // Egyptian hieroglyph joiners
        | '\u{1bca0}'..='\u{1bca3}' // shorthand controls
        | '\u{1d173}'..='\u{1d17a}' // musical controls
        | '\u{e0000}'..='\u{e0fff}' // tags, more variation selectors
    ) || u32::from(character) & 0xfffe == 0xfffe // noncharacters, the last two of each plane
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
        let hidden = "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{200b}\u{200d}\u{200f}\u{61c}\u{ad}\u{feff}\u{2028}\u{2029}\u{600}\u{3164}\u{fdd0}\u{ffff}\u{10fffe}\u{e0041}\u{e0100}\u{110bd}";
        for hidden in hidden.chars() {
            let code = u32::from(hidden);
            assert_eq!(line(&format!("gpj{hidden}exe")), format!("gpj\\u{{{code:x}}}exe"));
        }
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "naïve café",
            "e\u{301}",
            "日本語",
            "שלום",
            "مرحبا",
            "→ ‘quotes’ …",
            "👍",
            "❤\u{fe0f}",
            "\u{fffd}",
        ] {
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
