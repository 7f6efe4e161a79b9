//! Dead Simple Signing Envelopes (<https://github.com/secure-systems-lab/dsse>).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// The payload type of in-toto statements.
pub const IN_TOTO_PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The pre-authentication encoding: the bytes that are signed, never the JSON of the envelope.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// An envelope around a payload with one signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Standard base64 of the payload.
    pub payload: String,
    /// What the payload is, such as [`IN_TOTO_PAYLOAD_TYPE`].
    pub payload_type: String,
    /// The signatures; one, as [`Envelope::new`] makes it.
    pub signatures: Vec<EnvelopeSignature>,
}

/// A signature in an envelope. There is no `keyid`: it is an unauthenticated hint, and cosign refuses any but its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EnvelopeSignature {
    /// Standard base64 of the signature.
    pub sig: String,
}

impl Envelope {
    /// Encloses a payload and the signature over its [`pre_authentication_encoding`].
    pub fn new(payload_type: &str, payload: &[u8], signature: &[u8]) -> Self {
        Self {
            payload: STANDARD.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature { sig: STANDARD.encode(signature) }],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_the_specifications_example() {
        let bytes = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }
}
