//! Manifests at appending tags: cosign's `.sig` tags, which collect one layer per signature.

use serde::Serialize;

use crate::oci::{JsonDescriptor, Manifest};

/// The configuration of a manifest whose layers are plain documents. It is an image configuration, as cosign writes it,
/// and says nothing but the digests of the layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Configuration {
    architecture: &'static str,
    config: Empty,
    os: &'static str,
    rootfs: RootFilesystem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Empty {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RootFilesystem {
    diff_ids: Vec<String>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The configuration over these layers. Documents are not compressed, so the digest of a layer is also its diff ID.
pub fn configuration(layers: &[JsonDescriptor]) -> Configuration {
    Configuration {
        architecture: "",
        config: Empty {},
        os: "",
        rootfs: RootFilesystem {
            diff_ids: layers.iter().map(|layer| layer.digest.clone()).collect(),
            kind: "layers",
        },
    }
}

/// All layers of `existing`, then those of `added` that are missing there. Layers are compared whole, annotations
/// included: two keys that sign one payload make two layers with one digest.
pub fn merge_layers(existing: &Manifest, added: &Manifest) -> Vec<JsonDescriptor> {
    let mut layers = existing.layers.clone();
    for layer in &added.layers {
        if !layers.contains(layer) {
            layers.push(layer.clone());
        }
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical_json;

    fn layer(digit: &str, signature: &str) -> JsonDescriptor {
        serde_json::from_value(serde_json::json!({
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": format!("sha256:{}", digit.repeat(64)),
            "size": 1,
            "annotations": {"dev.cosignproject.cosign/signature": signature},
        }))
        .unwrap()
    }

    fn manifest(layers: Vec<JsonDescriptor>) -> Manifest {
        Manifest::new(layer("c", ""), layers)
    }

    #[test]
    fn keeps_what_is_there_and_adds_what_is_missing() {
        let existing = manifest(vec![layer("1", "by-a"), layer("2", "by-a")]);
        let added = manifest(vec![layer("1", "by-b"), layer("2", "by-a")]);
        let merged = merge_layers(&existing, &added);
        assert_eq!(merged, [layer("1", "by-a"), layer("2", "by-a"), layer("1", "by-b")]);
        assert_eq!(merge_layers(&manifest(merged.clone()), &added), merged, "adding twice changes nothing");
    }

    #[test]
    fn writes_a_valid_image_configuration() {
        let bytes = canonical_json::to_vec(&configuration(&[layer("1", "s")])).unwrap();
        let expected = format!(
            r#"{{"architecture":"","config":{{}},"os":"","rootfs":{{"diff_ids":["sha256:{}"],"type":"layers"}}}}"#,
            "1".repeat(64)
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
