//! OCI content descriptors.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::json;
use crate::platform::Platform;

/// An OCI content descriptor; its JSON is the OCI form. Content that is embedded in it (`data`) is compared with its
/// digest and size when it is read, and then dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Written")]
pub struct Descriptor {
    /// Media type of the blob.
    pub media_type: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Length in bytes.
    pub size: u64,
    /// Type of artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Platform, inside an index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// A descriptor of `content` with nothing optional.
    pub fn of(media_type: &str, content: &[u8]) -> Self {
        Self::new(media_type, Digest::of(content), content.len() as u64)
    }

    /// A descriptor with nothing optional.
    pub fn new(media_type: &str, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest,
            size,
            artifact_type: None,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }
}

/// The keys of a descriptor that have a meaning (OCI image specification, `descriptor.md`).
const KEYS: [&str; 8] =
    ["mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform"];

/// A descriptor as somebody else wrote it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    platform: Option<Platform>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    /// The content itself, in base64.
    #[serde(default)]
    data: Option<String>,
    #[serde(flatten)]
    #[expect(
        clippy::zero_sized_map_values,
        reason = "serde reads an object into a map; the values are skipped"
    )]
    others: BTreeMap<String, IgnoredAny>,
}

impl TryFrom<Written> for Descriptor {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { media_type, digest, size, artifact_type, platform, annotations, data, others } =
            written;
        let wrong = |reason: String| format!("the descriptor of {digest} is invalid: {reason}");
        others.keys().try_for_each(|key| json::check_key(key, &KEYS)).map_err(wrong)?;
        if let Some(data) = data {
            let data =
                STANDARD.decode(data).map_err(|error| wrong(format!("its data is not base64: {error}")))?;
            if (Digest::of(&data), data.len() as u64) != (digest, size) {
                return Err(wrong(format!(
                    "its data is another blob: {} bytes with the digest {}, expected {size} bytes",
                    data.len(),
                    Digest::of(&data)
                )));
            }
        }
        Ok(Self { media_type, digest, size, artifact_type, platform, annotations })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Reads the descriptor of `hello` with one more key.
    fn read(key: &str, value: Value) -> Result<Descriptor, String> {
        let mut written = serde_json::to_value(Descriptor::of("text/plain", b"hello")).unwrap();
        written[key] = value;
        json::parse(written.to_string().as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn embedded_data_is_the_blob() {
        let hello = Descriptor::of("text/plain", b"hello");
        assert_eq!(read("data", json!("aGVsbG8=")).unwrap(), hello);
        assert_eq!(read("data", json!(null)).unwrap(), hello);
        for other in ["", "aGVsbG8", "aGVsbG8h", "aGVsbA==", "aGVsbG9=", "aGVs bG8=", "!"] {
            assert!(read("data", json!(other)).is_err(), "{other:?}");
        }
        insta::assert_snapshot!(read("data", json!("aGFsbG8=")).unwrap_err());
        assert!(read("size", json!(4)).is_ok(), "nothing is compared without data");
    }

    #[test]
    fn no_reader_sees_another_descriptor() {
        for key in ["Digest", "Data", "DIGEST", "mediatype", "\u{17f}ize"] {
            assert!(read(key, json!("x")).is_err(), "{key}");
        }
        assert!(read("newKey", json!({"deep": [1]})).is_ok());
        assert!(read("urls", json!(["https://example.com"])).is_ok());
        assert!(read("size", json!(-1)).is_err() && read("size", json!(1.5)).is_err());
    }
}
