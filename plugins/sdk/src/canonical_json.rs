//! Canonical JSON (RFC 8785), so that the same document always has the same digest.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// A value that has no canonical form here.
#[derive(Debug)]
pub enum CanonicalJsonError {
    /// The value cannot be expressed as JSON at all.
    Serialize(serde_json::Error),
    /// Numbers other than integers of at most 53 bits: OCI documents hold none, and their text form differs
    /// between languages.
    Number(serde_json::Number),
}

impl fmt::Display for CanonicalJsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serialize(error) => write!(f, "cannot write the document as JSON: {error}"),
            Self::Number(number) => write!(f, "the number {number} is not an integer of at most 53 bits"),
        }
    }
}

impl std::error::Error for CanonicalJsonError {}

impl From<CanonicalJsonError> for crate::StageError {
    fn from(error: CanonicalJsonError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The canonical bytes of a document: keys sorted, no white space.
pub fn to_vec<T: Serialize + ?Sized>(document: &T) -> Result<Vec<u8>, CanonicalJsonError> {
    let value = serde_json::to_value(document).map_err(CanonicalJsonError::Serialize)?;
    let mut bytes = Vec::new();
    write_value(&value, &mut bytes)?;
    Ok(bytes)
}

fn write_value(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalJsonError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            const LIMIT: u64 = 1 << 53;
            let exact = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
            if exact.is_none_or(|magnitude| magnitude > LIMIT) {
                return Err(CanonicalJsonError::Number(number.clone()));
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::String(text) => write_string(text, out)?,
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // RFC 8785, 3.2.3: keys are compared as UTF-16, which differs from UTF-8 beyond U+D7FF.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (key, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out)?;
                out.push(b':');
                write_value(member, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// `serde_json` escapes exactly as RFC 8785, 3.2.2.2, asks.
fn write_string(text: &str, out: &mut Vec<u8>) -> Result<(), CanonicalJsonError> {
    serde_json::to_writer(out, text).map_err(CanonicalJsonError::Serialize)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(to_vec(value).unwrap()).unwrap()
    }

    #[test]
    fn sorts_keys_as_utf16() {
        // The order of RFC 8785, 3.2.3: U+1F600 is D83D DE00 in UTF-16 and so comes before U+FB33.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "1": 3, "\u{20ac}": 4, "\r": 5});
        assert_eq!(text(&value), "{\"\\r\":5,\"1\":3,\"\u{20ac}\":4,\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn escapes_as_the_rfc_says() {
        assert_eq!(
            text(&json!("\u{20ac}$\u{f}\nA'B\"\\/\u{7f}")),
            "\"\u{20ac}$\\u000f\\nA'B\\\"\\\\/\u{7f}\""
        );
    }

    #[test]
    fn writes_integers_and_refuses_other_numbers() {
        assert_eq!(
            text(&json!([0, -1, 9_007_199_254_740_992_u64, true, null])),
            "[0,-1,9007199254740992,true,null]"
        );
        assert!(matches!(to_vec(&json!(1.5)), Err(CanonicalJsonError::Number(_))));
        assert!(matches!(to_vec(&json!(u64::MAX)), Err(CanonicalJsonError::Number(_))));
    }
}
