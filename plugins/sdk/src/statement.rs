//! in-toto statements, version 1 (<https://in-toto.io/Statement/v1>).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::digest;

/// Says `predicate` about one subject. Verifiers parse it strictly: no other field may be added.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    #[serde(rename = "_type")]
    version: &'static str,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: serde_json::Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Subject {
    annotations: BTreeMap<String, String>,
    digest: BTreeMap<&'static str, String>,
}

impl Statement {
    /// A statement about the manifest or index with this digest (`sha256:<hex>`; in the statement the prefix is
    /// the key). Nothing if the digest has another form.
    pub fn about(
        subject_digest: &str,
        predicate_type: &str,
        predicate: serde_json::Map<String, Value>,
    ) -> Option<Self> {
        let hex = digest::hex(subject_digest)?.to_owned();
        Some(Self {
            version: "https://in-toto.io/Statement/v1",
            subject: vec![Subject {
                annotations: BTreeMap::new(),
                digest: BTreeMap::from([("sha256", hex)]),
            }],
            predicate_type: predicate_type.to_owned(),
            predicate,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_form_that_cosign_writes() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let statement = Statement::about(&digest, "https://example.com/p", serde_json::Map::new()).unwrap();
        let json = crate::canonical_json::to_vec(&statement).unwrap();
        let expected = format!(
            "{{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{{}},\
             \"predicateType\":\"https://example.com/p\",\
             \"subject\":[{{\"annotations\":{{}},\"digest\":{{\"sha256\":\"{}\"}}}}]}}",
            "ab".repeat(32)
        );
        assert_eq!(String::from_utf8(json).unwrap(), expected);
        assert_eq!(Statement::about("md5:00", "x", serde_json::Map::new()), None);
    }
}
