//! Interface `types`.

use std::collections::BTreeMap;

use seed_model as model;

use crate::error::InvalidOutput;
use crate::text::printable;
use crate::v0_1::bindings::seed::pipeline::types as wit;

/// The longest text of a message, in bytes; what is beyond is cut.
pub(super) const TEXT: usize = 8 << 10;
/// The longest code of a diagnostic, in bytes.
const CODE: usize = 128;
/// The most diagnostics that are kept; nobody reads more.
const DIAGNOSTICS: usize = 1_000;

/// An error for a field of a result.
pub(super) fn invalid(field: impl Into<String>, reason: impl Into<String>) -> InvalidOutput {
    InvalidOutput { field: field.into(), reason: reason.into() }
}

/// A digest from a component.
pub(in crate::v0_1) fn digest(field: &str, text: &str) -> Result<model::Digest, InvalidOutput> {
    text.parse().map_err(|error: model::DigestError| invalid(field, printable(&error.to_string(), TEXT)))
}

/// Pairs whose names must be unique.
pub(super) fn map(
    field: &str,
    pairs: Vec<(String, String)>,
) -> Result<BTreeMap<String, String>, InvalidOutput> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        if map.contains_key(&name) {
            return Err(invalid(field, format!("`{}` appears twice", printable(&name, CODE))));
        }
        map.insert(name, value);
    }
    Ok(map)
}

/// A sorted map as pairs.
pub(super) fn pairs(map: &BTreeMap<String, String>) -> Vec<(String, String)> {
    map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A descriptor from a component.
pub(super) fn descriptor(field: &str, wit: wit::Descriptor) -> Result<model::Descriptor, InvalidOutput> {
    Ok(model::Descriptor {
        media_type: wit.media_type,
        digest: digest(&format!("{field}.digest"), &wit.digest)?,
        size: wit.size,
        artifact_type: wit.artifact_type,
        platform: wit.platform.map(Into::into),
        annotations: map(&format!("{field}.annotations"), wit.annotations)?,
    })
}

/// Diagnostics from a component, fit to be printed.
pub(super) fn diagnostics(wit: Vec<wit::Diagnostic>) -> Vec<model::Diagnostic> {
    wit.into_iter().take(DIAGNOSTICS).map(Into::into).collect()
}

impl From<&model::Descriptor> for wit::Descriptor {
    fn from(model: &model::Descriptor) -> Self {
        Self {
            media_type: model.media_type.clone(),
            digest: model.digest.to_string(),
            size: model.size,
            artifact_type: model.artifact_type.clone(),
            platform: model.platform.as_ref().map(Into::into),
            annotations: pairs(&model.annotations),
        }
    }
}

impl From<&model::Platform> for wit::Platform {
    fn from(model: &model::Platform) -> Self {
        Self {
            os: model.os.clone(),
            architecture: model.architecture.clone(),
            variant: model.variant.clone(),
        }
    }
}

impl From<wit::Platform> for model::Platform {
    fn from(wit: wit::Platform) -> Self {
        Self { os: wit.os, architecture: wit.architecture, variant: wit.variant }
    }
}

impl From<&model::Attachment> for wit::Attachment {
    fn from(model: &model::Attachment) -> Self {
        match model {
            model::Attachment::AppendingTag(tag) => Self::AppendingTag(tag.clone()),
            model::Attachment::Referrer => Self::Referrer,
        }
    }
}

impl From<wit::Attachment> for model::Attachment {
    fn from(wit: wit::Attachment) -> Self {
        match wit {
            wit::Attachment::AppendingTag(tag) => Self::AppendingTag(tag),
            wit::Attachment::Referrer => Self::Referrer,
        }
    }
}

impl From<wit::Diagnostic> for model::Diagnostic {
    fn from(wit: wit::Diagnostic) -> Self {
        Self {
            code: printable(&wit.code, CODE),
            severity: match wit.severity {
                wit::Severity::Error => model::Severity::Error,
                wit::Severity::Warning => model::Severity::Warning,
                wit::Severity::Note => model::Severity::Note,
            },
            message: printable(&wit.message, TEXT),
            help: wit.help.map(|help| printable(&help, TEXT)),
            config_path: wit.config_path.map(|path| printable(&path, TEXT)),
        }
    }
}

impl From<&model::Diagnostic> for wit::Diagnostic {
    fn from(model: &model::Diagnostic) -> Self {
        Self {
            code: model.code.clone(),
            severity: match model.severity {
                model::Severity::Error => wit::Severity::Error,
                model::Severity::Warning => wit::Severity::Warning,
                model::Severity::Note => wit::Severity::Note,
            },
            message: model.message.clone(),
            help: model.help.clone(),
            config_path: model.config_path.clone(),
        }
    }
}

impl From<wit::StageError> for model::StageError {
    fn from(wit: wit::StageError) -> Self {
        let text = |text: String| printable(&text, TEXT);
        match wit {
            wit::StageError::Config(list) => Self::Config(diagnostics(list)),
            wit::StageError::Denied(reason) => Self::Denied(text(reason)),
            wit::StageError::Transient(reason) => Self::Transient(text(reason)),
            wit::StageError::Auth(reason) => Self::Auth(text(reason)),
            wit::StageError::Remote(reason) => Self::Remote(text(reason)),
            wit::StageError::Failed(reason) => Self::Failed(text(reason)),
        }
    }
}

impl From<model::StageError> for wit::StageError {
    fn from(model: model::StageError) -> Self {
        match model {
            model::StageError::Config(list) => Self::Config(list.iter().map(Into::into).collect()),
            model::StageError::Denied(reason) => Self::Denied(reason),
            model::StageError::Transient(reason) => Self::Transient(reason),
            model::StageError::Auth(reason) => Self::Auth(reason),
            model::StageError::Remote(reason) => Self::Remote(reason),
            model::StageError::Failed(reason) => Self::Failed(reason),
        }
    }
}

impl From<InvalidOutput> for wit::StageError {
    /// What a component passed to the host and the contract forbids, told to the component.
    fn from(invalid: InvalidOutput) -> Self {
        Self::Failed(format!("{}: {}", invalid.field, invalid.reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_names_are_refused() {
        let pairs = |names: [&str; 2]| names.map(|name| (name.to_owned(), String::new())).to_vec();
        assert_eq!(map("annotations", pairs(["b", "a"])).unwrap().len(), 2);
        insta::assert_snapshot!(map("annotations", pairs(["a", "a"])).unwrap_err(), @"its result violates the contract: annotations: `a` appears twice");
    }

    #[test]
    fn a_bad_digest_is_named_and_fit_for_a_terminal() {
        insta::assert_snapshot!(
            digest("manifest.digest", "sha256:\u{1b}[2J").unwrap_err(),
            @r"its result violates the contract: manifest.digest: `sha256:\u{1b}[2J` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits"
        );
    }
}
