//! Tags of images.

use crate::{Diagnostic, Pair, template};

/// Whether the text is a tag (distribution-spec: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`).
pub fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let bytes = text.as_bytes();
    (1..=128).contains(&bytes.len())
        && word(bytes[0])
        && bytes.iter().all(|b| word(*b) || matches!(b, b'.' | b'-'))
}

/// Expands the variables in the `tags` of a configuration and checks what comes out; doubles are dropped.
pub fn expand_all(templates: &[String], variables: &[Pair]) -> Result<Vec<String>, Diagnostic> {
    let mut tags = Vec::new();
    for (index, text) in templates.iter().enumerate() {
        let pointer = format!("/tags/{index}");
        let tag = template::expand(text, variables).map_err(|error| {
            let help = "some variables depend on the source: `commit`, for example, needs a clean git tree";
            Diagnostic::error("tag::template", &format!("cannot expand tag `{text}`: {error}"))
                .with_help(help)
                .at(&pointer)
        })?;
        if !is_tag(&tag) {
            let help =
                "a tag has 1 to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`";
            return Err(Diagnostic::error("tag::grammar", &format!("`{tag}` is not a tag"))
                .with_help(help)
                .at(&pointer));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(templates: &[&str]) -> Result<Vec<String>, Diagnostic> {
        let variables = [("commit".to_owned(), "c0ffee".to_owned()), ("branch".to_owned(), "a/b".to_owned())];
        expand_all(&templates.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), &variables)
    }

    #[test]
    fn expands_and_drops_doubles() {
        assert_eq!(expand(&["v1", "{commit}", "c0ffee"]).unwrap(), ["v1", "c0ffee"]);
    }

    #[test]
    fn points_to_the_tag_that_is_wrong() {
        let error = expand(&["v1", "{rev}"]).unwrap_err();
        assert_eq!(error.config_path.as_deref(), Some("/tags/1"));
        assert!(error.message.starts_with("cannot expand tag `{rev}`"), "{}", error.message);
        assert_eq!(expand(&["{branch}"]).unwrap_err().message, "`a/b` is not a tag");
    }

    #[test]
    fn knows_the_grammar() {
        assert!(is_tag("a") && is_tag("_a.b-c") && is_tag(&"a".repeat(128)));
        assert!(!is_tag("") && !is_tag(".a") && !is_tag("-a") && !is_tag("a:b") && !is_tag(&"a".repeat(129)));
    }
}
