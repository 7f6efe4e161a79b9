//! in-toto Statements (`in-toto/attestation`, v1; v0.1 is read too, because `cosign attest` still writes it).

use std::collections::BTreeMap;

use seed_model::json;
use serde::Deserialize;

/// Payload type of a statement in a DSSE envelope.
pub const IN_TOTO_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Predicate type of a statement that says nothing but "signed", as cosign 3 writes it.
pub const SIGN_PREDICATE_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";
/// Most subjects in one statement, as in Sigstore's own verifier.
const MAX_SUBJECTS: usize = 1024;
const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// A claim (the predicate) about artifacts (the subjects).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Statement {
    #[serde(rename = "_type")]
    schema: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// URI that says what the predicate means.
    pub predicate_type: String,
    /// The claim.
    pub predicate: serde_json::Map<String, serde_json::Value>,
}

/// One artifact that a statement is about.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name, often `host/repository`.
    #[serde(default)]
    pub name: Option<String>,
    /// Digests by algorithm, in bare hexadecimal: `sha256` without prefix.
    pub digest: BTreeMap<String, String>,
    /// Whatever the signer noted.
    #[serde(default)]
    pub annotations: serde_json::Map<String, serde_json::Value>,
}

/// Why bytes are not a statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// Not the JSON of a statement.
    #[error("the payload is not an in-toto statement: {0}")]
    Json(#[from] serde_json::Error),
    /// Another `_type`.
    #[error("the statement's `_type` is {0:?}, expected `https://in-toto.io/Statement/v1`")]
    Type(String),
    /// No subject, or too many.
    #[error("the statement has {0} subjects, expected 1 to {MAX_SUBJECTS}")]
    SubjectCount(usize),
}

impl Statement {
    /// Reads a statement, strictly: exact `_type`, an object as predicate, no unknown field, no key twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let statement: Self = json::parse(bytes)?;
        if !TYPES.contains(&statement.schema.as_str()) {
            return Err(StatementError::Type(statement.schema.chars().take(80).collect()));
        }
        if !(1..=MAX_SUBJECTS).contains(&statement.subject.len()) {
            return Err(StatementError::SubjectCount(statement.subject.len()));
        }
        Ok(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_statements_are_refused() {
        let good = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"p","predicate":{}}"#;
        assert_eq!(Statement::parse(good.as_bytes()).unwrap().predicate_type, "p");
        let cases = [
            good.replace("/v1", "/v9"),
            good.replace("{}}", "\"text\"}"),
            good.replace("{}}", "{},\"more\":1}"),
            good.replace(r#"{"digest":{"sha256":"00"}}"#, ""),
            good.replace(r#""sha256":"00""#, r#""sha256":"00","sha256":"11""#),
        ];
        let errors: Vec<_> =
            cases.iter().map(|case| Statement::parse(case.as_bytes()).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        the statement's `_type` is "https://in-toto.io/Statement/v9", expected `https://in-toto.io/Statement/v1`
        the payload is not an in-toto statement: invalid type: string "text", expected a map at line 1 column 120
        the payload is not an in-toto statement: unknown field `more`, expected one of `_type`, `subject`, `predicateType`, `predicate` at line 1 column 123
        the statement has 0 subjects, expected 1 to 1024
        the payload is not an in-toto statement: the key "sha256" appears twice at line 1 column 87
        "#);
    }
}
