//! Interface `plugin`.

use semver::Version;

use super::types::invalid;
use crate::description::Description;
use crate::error::InvalidOutput;
use crate::text::printable;
use crate::v0_1::bindings::exports::seed::pipeline::plugin as wit;

/// The longest name in bytes.
const NAME: usize = 64;
/// The longest version in bytes.
const VERSION: usize = 64;
/// The longest summary in bytes.
const SUMMARY: usize = 200;
/// The longest schema in bytes.
const SCHEMA: usize = 1 << 20;

/// A description from a component. Name and version go into messages, the lock file and provenance, so both have a
/// narrow form.
pub(in crate::v0_1) fn description(wit: wit::Description) -> Result<Description, InvalidOutput> {
    let shown = |text: &str| printable(text, 100);
    if !is_name(&wit.name) {
        let rule = "not lower-case letters, digits and single hyphens, at most 64, beginning with a letter";
        return Err(invalid("name", format!("`{}` is {rule}", shown(&wit.name))));
    }
    if wit.version.len() > VERSION {
        return Err(invalid("version", format!("it is longer than {VERSION} bytes")));
    }
    let version = Version::parse(&wit.version).map_err(|error| {
        invalid("version", format!("`{}` is not a semantic version: {error}", shown(&wit.version)))
    })?;
    if wit.summary.contains('\n') {
        return Err(invalid("summary", "it has more than one line"));
    }
    if wit.config_schema.len() > SCHEMA {
        return Err(invalid("config-schema", "it is longer than 1 MiB"));
    }
    Ok(Description {
        name: wit.name,
        version,
        summary: printable(&wit.summary, SUMMARY),
        config_schema: wit.config_schema,
    })
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, version: &str, summary: &str) -> String {
        let (name, version, summary) = (name.to_owned(), version.to_owned(), summary.to_owned());
        description(wit::Description { name, version, summary, config_schema: String::new() })
            .unwrap_err()
            .reason
    }

    #[test]
    fn names_versions_and_summaries_have_a_narrow_form() {
        for name in ["", "Acme", "a--b", "-a", "a-", "1a", "a\u{1b}", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("acme-signer2"));
        insta::assert_snapshot!(refused("a\nb", "1.0.0", ""), @r"
        `a
        b` is not lower-case letters, digits and single hyphens, at most 64, beginning with a letter
        ");
        insta::assert_snapshot!(refused("a", "1.0", ""), @"`1.0` is not a semantic version: unexpected end of input while parsing minor version number");
        insta::assert_snapshot!(refused("a", "1.0.0", "a\nb"), @"it has more than one line");
    }
}
