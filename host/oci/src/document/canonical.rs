//! JSON of which equal content has equal bytes.

use serde::Serialize;

/// Canonical JSON (RFC 8785) of a document whose keys are strings and whose numbers are exact in a double.
pub fn canonical_json(document: &impl Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(document).expect("documents have string keys and finite numbers")
}
