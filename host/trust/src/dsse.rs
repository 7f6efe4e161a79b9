//! DSSE, the Dead Simple Signing Envelope (`secure-systems-lab/dsse`, protocol 1.0).

use seed_model::json;
use serde::Deserialize;

use crate::encoding;

/// Longest envelope that is read: 4 MiB, as long as what the keyring signs.
pub const MAX_ENVELOPE: usize = 4 << 20;
/// Most signatures in one envelope.
pub const MAX_SIGNATURES: usize = 64;

/// A payload and the signatures over its [`pae`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the payload is, such as `application/vnd.in-toto+json`.
    pub payload_type: String,
    /// The payload itself: parse this copy, which is the one that was signed.
    pub payload: Vec<u8>,
    /// The signatures, raw.
    pub signatures: Vec<EnvelopeSignature>,
}

/// A signature in an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// A hint that nobody signed; empty when absent. Never decide by it.
    pub keyid: String,
    /// The signature over the [`pae`].
    pub signature: Vec<u8>,
}

/// Why bytes are not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Longer than [`MAX_ENVELOPE`].
    #[error("the envelope has {0} bytes, more than {MAX_ENVELOPE}")]
    TooLong(usize),
    /// Not the JSON of an envelope.
    #[error("the envelope is not DSSE JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is not base64.
    #[error("the envelope's `{0}` is not base64")]
    Base64(&'static str),
    /// No signature, or more than [`MAX_SIGNATURES`].
    #[error("the envelope has {0} signatures, expected 1 to {MAX_SIGNATURES}")]
    SignatureCount(usize),
}

/// The JSON form.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EnvelopeJson {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureJson {
    #[serde(default)]
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Reads an envelope from its JSON, strictly: no unknown field, no key twice, standard or URL-safe base64.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLong(bytes.len()));
        }
        json::parse::<EnvelopeJson>(bytes)?.try_into()
    }

    /// What every signature of this envelope signs.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }
}

impl TryFrom<EnvelopeJson> for Envelope {
    type Error = EnvelopeError;

    fn try_from(envelope: EnvelopeJson) -> Result<Self, EnvelopeError> {
        if !(1..=MAX_SIGNATURES).contains(&envelope.signatures.len()) {
            return Err(EnvelopeError::SignatureCount(envelope.signatures.len()));
        }
        let signatures = envelope
            .signatures
            .into_iter()
            .map(|signature| {
                let raw = encoding::decode(&signature.sig).ok_or(EnvelopeError::Base64("sig"))?;
                Ok(EnvelopeSignature { keyid: signature.keyid, signature: raw })
            })
            .collect::<Result<_, EnvelopeError>>()?;
        Ok(Self {
            payload_type: envelope.payload_type,
            payload: encoding::decode(&envelope.payload).ok_or(EnvelopeError::Base64("payload"))?,
            signatures,
        })
    }
}

/// The pre-authentication encoding: `DSSEv1 LEN(type) type LEN(payload) payload`, lengths in decimal bytes.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

/// Splits a pre-authentication encoding into type and payload; `None` when it is not exactly what [`pae`] makes.
pub fn split_pae(encoded: &[u8]) -> Option<(&str, &[u8])> {
    let rest = encoded.strip_prefix(b"DSSEv1 ")?;
    let (payload_type, rest) = take(rest)?;
    let (payload, rest) = take(rest.strip_prefix(b" ")?)?;
    let payload_type = std::str::from_utf8(payload_type).ok()?;
    (rest.is_empty() && pae(payload_type, payload) == encoded).then_some((payload_type, payload))
}

/// Takes `LEN bytes` off the front.
fn take(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = encoded.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&encoded[..space]).ok()?.parse().ok()?;
    encoded.get(space..)?.strip_prefix(b" ")?.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE protocol document.
    #[test]
    fn pae_is_as_the_protocol_says_and_splits_back() {
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_eq!(split_pae(&encoded), Some(("http://example.com/HelloWorld", &b"hello world"[..])));
    }

    #[test]
    fn other_spellings_of_a_pae_are_refused() {
        for bad in [
            "",
            "DSSEv1 1 a 1 bc",
            "DSSEv1 1 a 2 b",
            "DSSEv1 01 a 1 b",
            "DSSEv1 +1 a 1 b",
            "DSSEv1 1 a  1 b",
            "DSSEv2 1 a 1 b",
            "DSSEv1 99999999999999999999999 a 1 b",
            "DSSEv1 -1 a 1 b",
        ] {
            assert_eq!(split_pae(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn both_base64_alphabets_are_read() {
        let envelope = |payload: &str| {
            format!(r#"{{"payload":"{payload}","payloadType":"t","signatures":[{{"sig":"AA=="}}]}}"#)
        };
        for text in ["+/+/", "-_-_"] {
            assert_eq!(Envelope::parse(envelope(text).as_bytes()).unwrap().payload, [0xfb, 0xff, 0xbf]);
        }
        assert!(Envelope::parse(envelope("+_").as_bytes()).is_err());
    }

    #[test]
    fn malformed_envelopes_are_refused() {
        let cases = [
            r#"{"payload":"","payloadType":"t","signatures":[]}"#,
            r#"{"payload":"","payloadType":"t","signatures":[{"sig":"!"}]}"#,
            r#"{"payload":"","payloadType":"t","signatures":[{"sig":"AA==","extra":1}]}"#,
            r#"{"payload":"","payloadType":"t","payloadType":"u","signatures":[{"sig":"AA=="}]}"#,
        ];
        let errors: Vec<_> =
            cases.map(|case| Envelope::parse(case.as_bytes()).unwrap_err().to_string()).into();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        the envelope has 0 signatures, expected 1 to 64
        the envelope's `sig` is not base64
        the envelope is not DSSE JSON: unknown field `extra`, expected `keyid` or `sig` at line 1 column 67
        the envelope is not DSSE JSON: the key "payloadType" appears twice at line 1 column 45
        "#);
    }
}
