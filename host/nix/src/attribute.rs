//! Attribute paths: `seed`, `packages.x86_64-linux."a.b"`.

use crate::error::NixError;
use crate::text::shorten;

/// The longest attribute path in bytes.
const MAX_LENGTH: usize = 1024;
/// How many names a message suggests.
const MAX_NEAR: usize = 3;

/// Splits an attribute path at its dots; a component may be in double quotes.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, NixError> {
    let invalid = |problem| NixError::Invalid { value: shorten(text), kind: "attribute path", problem };
    if text.len() > MAX_LENGTH {
        return Err(invalid("it is longer than 1024 bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid("it contains a control character"));
    }
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(std::mem::take(&mut part)),
            '#' | '^' if !quoted => return Err(invalid("give the attribute alone, such as `seed`")),
            other => part.push(other),
        }
    }
    parts.push(part);
    if quoted {
        return Err(invalid("it has an unclosed quotation mark"));
    }
    if parts.iter().any(String::is_empty) {
        return Err(invalid("it has an empty component"));
    }
    Ok(parts)
}

/// Checks a Nix system such as `x86_64-linux`, which becomes part of an attribute path.
pub(crate) fn check_system(system: &str) -> Result<(), NixError> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if system.is_empty() || system.len() > 64 || !system.chars().all(good) {
        let problem = "expected letters, digits, `_` and `-`, such as `x86_64-linux`";
        return Err(NixError::Invalid { value: shorten(system), kind: "Nix system", problem });
    }
    Ok(())
}

/// A string of the Nix language.
pub(crate) fn nix_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// The names that are most like `wanted`, nearest first.
pub(crate) fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let mut scored: Vec<(f64, &String)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wanted, name), name))
        .filter(|(score, _)| *score > 0.75)
        .collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(MAX_NEAR).map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_dots_outside_quotes() {
        assert_eq!(parse("seed").unwrap(), ["seed"]);
        assert_eq!(parse(r#"a."b.c".d"#).unwrap(), ["a", "b.c", "d"]);
        for bad in ["", ".", "a.", "a..b", "\"a", "a#b", "a^out", "a\nb", &"a".repeat(1025)] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn systems_are_plain_words() {
        assert!(check_system("x86_64-linux").is_ok());
        for bad in ["", "a.b", "a b", "a\"", &"a".repeat(65)] {
            assert!(check_system(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn strings_cannot_break_out() {
        assert_eq!(nix_string(r#"a"b\${x}"#), r#""a\"b\\\${x}""#);
    }

    #[test]
    fn suggests_the_nearest_names() {
        let names: Vec<String> = ["seed", "seeds", "hello", "need", "seed"].map(String::from).into();
        assert_eq!(near("sed", &names), ["seed", "seeds"]);
        assert!(near("zzz", &names).is_empty());
    }
}
