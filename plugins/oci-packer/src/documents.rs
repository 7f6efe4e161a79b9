//! The image configuration and the manifest.

use std::collections::BTreeMap;

use seed_plugin::Descriptor;
use seed_plugin::oci::{JsonDescriptor, Manifest};
use seed_plugin::packer::{ImageConfig, PackRequest, PackedLayer};
use serde::Serialize;
use serde_json::{Map, Value};

/// Annotation of a layer's descriptor: the standard or declared layer that it belongs to.
const LAYER_ANNOTATION: &str = "io.github.seed-oci.layer";

/// An image configuration (image-spec, `config.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Configuration {
    architecture: String,
    /// An object even when it is empty: Kubernetes refuses `null`.
    config: Execution,
    created: String,
    /// One entry per layer: some tools refuse an image without.
    history: Vec<HistoryEntry>,
    os: String,
    rootfs: RootFilesystem,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cmd: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entrypoint: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    exposed_ports: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    volumes: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct HistoryEntry {
    created: String,
    created_by: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RootFilesystem {
    diff_ids: Vec<String>,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The configuration of an image with these layers.
pub(crate) fn configuration(request: &PackRequest, layers: &[PackedLayer]) -> Configuration {
    let history = |layer: &seed_plugin::packer::Layer| HistoryEntry {
        created: request.created.clone(),
        created_by: format!("seed layer {}", layer.name),
    };
    Configuration {
        architecture: request.platform.architecture.clone(),
        config: execution(&request.plan.config),
        created: request.created.clone(),
        history: request.plan.layers.iter().map(history).collect(),
        os: request.platform.os.clone(),
        rootfs: RootFilesystem {
            diff_ids: layers.iter().map(|layer| layer.diff_id.clone()).collect(),
            kind: "layers",
        },
        variant: request.platform.variant.clone(),
    }
}

fn execution(config: &ImageConfig) -> Execution {
    // The specification writes sets as objects with empty objects.
    let set = |names: &[String]| names.iter().map(|name| (name.clone(), Value::Object(Map::new()))).collect();
    Execution {
        cmd: config.cmd.clone(),
        entrypoint: config.entrypoint.clone(),
        env: config.env.clone(),
        exposed_ports: set(&config.exposed_ports),
        labels: config.labels.iter().cloned().collect(),
        stop_signal: config.stop_signal.clone(),
        user: config.user.clone(),
        volumes: set(&config.volumes),
        working_dir: config.working_dir.clone(),
    }
}

/// The manifest over this configuration and these layers, each annotated with the layer that it belongs to.
pub(crate) fn manifest(request: &PackRequest, config: &Descriptor, layers: &[PackedLayer]) -> Manifest {
    let layer = |(planned, packed): (&seed_plugin::packer::Layer, &PackedLayer)| {
        let mut descriptor = JsonDescriptor::from(&packed.descriptor);
        descriptor.annotations.insert(LAYER_ANNOTATION.to_owned(), planned.name.clone());
        descriptor
    };
    let layers = request.plan.layers.iter().zip(layers).map(layer).collect();
    let mut manifest = Manifest::new(config.into(), layers);
    manifest.annotations = request.plan.annotations.iter().cloned().collect();
    manifest
}

#[cfg(test)]
mod tests {
    use seed_plugin::packer::{ImagePlan, Layer};
    use seed_plugin::{Platform, canonical_json};

    use super::*;

    fn request() -> PackRequest {
        let layer = |name: &str| Layer { name: name.to_owned(), paths: vec![], entries: vec![] };
        let text = str::to_owned;
        PackRequest {
            config: text("{}"),
            name: text("hello"),
            system: text("aarch64-linux"),
            platform: Platform { os: text("linux"), architecture: text("arm64"), variant: Some(text("v8")) },
            created: text("1970-01-01T00:00:01Z"),
            plan: ImagePlan {
                layers: vec![layer("base"), layer("apps")],
                config: ImageConfig {
                    entrypoint: vec![text("hello")],
                    cmd: vec![],
                    env: vec![text("PATH=/bin")],
                    user: None,
                    working_dir: None,
                    labels: vec![(text("b"), text("2")), (text("a"), text("1"))],
                    exposed_ports: vec![text("80/tcp")],
                    volumes: vec![],
                    stop_signal: None,
                },
                annotations: vec![(text("org.opencontainers.image.title"), text("hello"))],
                notes: vec![],
            },
        }
    }

    fn descriptor(digit: &str, media_type: &str) -> Descriptor {
        Descriptor {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{}", digit.repeat(64)),
            size: 7,
            artifact_type: None,
            platform: None,
            annotations: vec![],
        }
    }

    fn packed() -> Vec<PackedLayer> {
        let layer = |digit: &str| PackedLayer {
            descriptor: descriptor(digit, "application/vnd.oci.image.layer.v1.tar+gzip"),
            diff_id: format!("sha256:{}", "d".repeat(64)),
        };
        vec![layer("1"), layer("2")]
    }

    fn text<T: Serialize>(document: &T) -> String {
        String::from_utf8(canonical_json::to_vec(document).unwrap()).unwrap()
    }

    #[test]
    fn writes_the_configuration() {
        let d = "d".repeat(64);
        let expected = format!(
            "{{\"architecture\":\"arm64\",\
             \"config\":{{\"Entrypoint\":[\"hello\"],\"Env\":[\"PATH=/bin\"],\"ExposedPorts\":{{\"80/tcp\":{{}}}},\
             \"Labels\":{{\"a\":\"1\",\"b\":\"2\"}}}},\
             \"created\":\"1970-01-01T00:00:01Z\",\
             \"history\":[{{\"created\":\"1970-01-01T00:00:01Z\",\"created_by\":\"seed layer base\"}},\
             {{\"created\":\"1970-01-01T00:00:01Z\",\"created_by\":\"seed layer apps\"}}],\
             \"os\":\"linux\",\"rootfs\":{{\"diff_ids\":[\"sha256:{d}\",\"sha256:{d}\"],\"type\":\"layers\"}},\
             \"variant\":\"v8\"}}"
        );
        assert_eq!(text(&configuration(&request(), &packed())), expected);
    }

    #[test]
    fn writes_an_empty_configuration_as_an_object_and_no_layers_as_a_list() {
        let mut request = request();
        request.plan.layers.clear();
        request.plan.config = ImageConfig {
            entrypoint: vec![],
            env: vec![],
            labels: vec![],
            exposed_ports: vec![],
            ..request.plan.config
        };
        assert!(text(&configuration(&request, &[])).contains("\"config\":{},"));
        let config = descriptor("c", "application/vnd.oci.image.config.v1+json");
        assert!(text(&manifest(&request, &config, &[])).contains("\"layers\":[],"));
    }

    #[test]
    fn writes_the_manifest() {
        let config = descriptor("c", "application/vnd.oci.image.config.v1+json");
        let layer = |digit: &str, role: &str| {
            format!(
                "{{\"annotations\":{{\"io.github.seed-oci.layer\":\"{role}\"}},\"digest\":\"sha256:{}\",\
                 \"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"size\":7}}",
                digit.repeat(64)
            )
        };
        let expected = format!(
            "{{\"annotations\":{{\"org.opencontainers.image.title\":\"hello\"}},\
             \"config\":{{\"digest\":\"sha256:{}\",\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"size\":7}},\
             \"layers\":[{},{}],\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"schemaVersion\":2}}",
            "c".repeat(64),
            layer("1", "base"),
            layer("2", "apps"),
        );
        assert_eq!(text(&manifest(&request(), &config, &packed())), expected);
    }
}
