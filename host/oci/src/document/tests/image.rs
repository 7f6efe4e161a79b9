//! What the host accepts as an image, and what it refuses.

use std::collections::BTreeMap;

use seed_model::{Descriptor, Digest, Image, ImageConfig, ImagePlan, Layer, PackedLayer, Platform};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::BlobStore;
use crate::document::media_type::{CONFIG, MANIFEST};
use crate::document::{Planned, canonical_json, check_image, make_index};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

struct Images {
    _directory: TempDir,
    store: BlobStore,
    layers: Vec<PackedLayer>,
}

fn plan() -> ImagePlan {
    let layer = |name: &str| Layer { name: name.to_owned(), ..Layer::default() };
    ImagePlan {
        layers: vec![layer("one"), layer("two")],
        config: ImageConfig {
            entrypoint: vec!["/bin/x".to_owned()],
            labels: [("a".to_owned(), String::new())].into(),
            exposed_ports: vec!["80/tcp".to_owned()],
            ..ImageConfig::default()
        },
        annotations: [("a".to_owned(), "b".to_owned())].into(),
        notes: Vec::new(),
    }
}

fn platform() -> Platform {
    Platform::of_system("aarch64-linux").unwrap()
}

impl Images {
    /// A store with two layers.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(directory.path()).unwrap();
        let layers = [&b"one"[..], b"two"].map(|content| {
            store.put(content).unwrap();
            PackedLayer {
                descriptor: Descriptor::of(LAYER, content),
                diff_id: Digest::of(&[content, b"!"].concat()),
            }
        });
        Self { _directory: directory, store, layers: layers.to_vec() }
    }

    fn config(&self) -> Value {
        let diff_ids: Vec<Digest> = self.layers.iter().map(|layer| layer.diff_id).collect();
        json!({
            "architecture": "arm64", "os": "linux", "created": "1970-01-01T00:00:01Z",
            "config": {"Entrypoint": ["/bin/x"], "Labels": {"a": ""}, "ExposedPorts": {"80/tcp": {}}},
            "history": [{"created_by": "seed layer one"}, {"created_by": "two"}],
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
    }

    /// The image with this configuration and the manifest that `change` makes of the right one.
    fn image(&self, config: &Value, change: impl FnOnce(&mut Value)) -> Image {
        let config = canonical_json(config);
        self.store.put(&config).unwrap();
        let config = Descriptor::of(CONFIG, &config);
        let layers: Vec<&Descriptor> = self.layers.iter().map(|layer| &layer.descriptor).collect();
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
            "annotations": {"a": "b"},
        });
        change(&mut manifest);
        let manifest = canonical_json(&manifest);
        self.store.put(&manifest).unwrap();
        Image { manifest: Descriptor::of(MANIFEST, &manifest), config, layers: self.layers.clone() }
    }

    fn check(&self, image: &Image) -> Result<(), String> {
        let short = |text: String| text.split("sha256:").map(shorten).collect::<Vec<_>>().join("sha256:");
        let (plan, platform) = (plan(), platform());
        let planned = Planned { plan: &plan, platform: &platform, created: "1970-01-01T00:00:01Z" };
        check_image(&self.store, image, &planned, &|layer| layer == 1).map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            short(format!("{error}{}", source.unwrap_or_default()))
        })
    }
}

/// Keeps three of the digits at the beginning of a text.
fn shorten(text: &str) -> String {
    match text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len()) {
        64 => format!("{}…{}", &text[..3], &text[64..]),
        _ => text.to_owned(),
    }
}

#[test]
fn a_proper_image_is_accepted() {
    let images = Images::new();
    images.check(&images.image(&images.config(), |_| {})).unwrap();
    let mut config = images.config();
    config["config"]["Cmd"] = Value::Null;
    config["config"]["Volumes"] = json!({});
    config.as_object_mut().unwrap().remove("history");
    config.as_object_mut().unwrap().remove("created");
    let named = |manifest: &mut Value| {
        manifest["layers"][0]["annotations"] = json!({"io.github.seed-oci.layer": "one"});
        manifest["layers"][1]["annotations"] = json!({"com.acme.table-of-contents": "17"});
    };
    images.check(&images.image(&config, named)).unwrap();
}

#[test]
fn wrong_manifests_are_refused() {
    let images = Images::new();
    let mut errors = Vec::new();
    let changes: [fn(&mut Value); 13] = [
        |manifest| manifest["schemaVersion"] = json!(1),
        |manifest| manifest["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json"),
        |manifest| manifest["config"]["size"] = json!(3),
        |manifest| manifest["layers"] = Value::Null,
        |manifest| drop(manifest["layers"].as_array_mut().unwrap().pop()),
        |manifest| manifest["layers"].as_array_mut().unwrap().swap(0, 1),
        |manifest| manifest["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar"),
        |manifest| manifest["annotations"] = json!({"a": 1}),
        |manifest| *manifest = json!([]),
        |manifest| manifest["annotations"] = json!({"a": "c"}),
        |manifest| manifest["annotations"] = json!({"a": "b", "c": "d"}),
        |manifest| manifest["layers"][0]["annotations"] = json!({"io.github.seed-oci.layer": "two"}),
        |manifest| manifest["layers"][1]["data"] = json!("dHdv"),
    ];
    for change in changes {
        errors.push(images.check(&images.image(&images.config(), change)).unwrap_err());
    }
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn wrong_configurations_are_refused() {
    let images = Images::new();
    let mut errors = Vec::new();
    let changes: [fn(&mut Value); 13] = [
        |config| config["architecture"] = json!("amd64"),
        |config| config["variant"] = json!("v8"),
        |config| config["config"] = Value::Null,
        |config| config["rootfs"]["type"] = json!("squashfs"),
        |config| config["rootfs"]["diff_ids"].as_array_mut().unwrap().swap(0, 1),
        |config| drop(config["rootfs"]["diff_ids"].as_array_mut().unwrap().pop()),
        |config| drop(config["history"].as_array_mut().unwrap().pop()),
        |config| config["history"][1] = json!({"created_by": "seed layer one"}),
        |config| config["history"][1] = json!({"created": "2000-01-01T00:00:00Z"}),
        |config| config["config"]["Labels"]["a"] = json!("b"),
        |config| config["config"]["Shell"] = json!(["/bin/sh"]),
        |config| config["Config"] = json!({}),
        |config| config["config"]["entrypoint"] = json!([]),
    ];
    for change in changes {
        let mut config = images.config();
        change(&mut config);
        errors.push(images.check(&images.image(&config, |_| {})).unwrap_err());
    }
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn layers_are_as_many_as_planned_and_in_the_store() {
    let mut errors = Vec::new();
    let changes: [fn(&mut Images); 4] = [
        |images| drop(images.layers.pop()),
        |images| images.layers.push(images.layers[0].clone()),
        |images| images.layers[1].descriptor = Descriptor::of(LAYER, b"not in the store"),
        |images| images.layers[1].descriptor.size += 1,
    ];
    for change in changes {
        let mut images = Images::new();
        change(&mut images);
        let mut config = images.config();
        config.as_object_mut().unwrap().remove("history");
        errors.push(images.check(&images.image(&config, |_| {})).unwrap_err());
    }
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn what_is_not_there_or_too_large_is_refused() {
    let images = Images::new();
    let mut image = images.image(&images.config(), |_| {});
    image.manifest.size += 1;
    let mut errors = vec![images.check(&image).unwrap_err()];
    image.manifest = Descriptor::of(MANIFEST, b"missing");
    errors.push(images.check(&image).unwrap_err().replace(images.store.root().to_str().unwrap(), "[dir]"));
    let large = vec![b' '; (4 << 20) + 1];
    images.store.put(&large).unwrap();
    image.manifest = Descriptor::of(MANIFEST, &large);
    errors.push(images.check(&image).unwrap_err());
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn an_index_is_sorted_and_canonical() {
    let amd64 = (Platform::of_system("x86_64-linux").unwrap(), Descriptor::of(MANIFEST, b"amd64"));
    let arm64 = (Platform::of_system("aarch64-linux").unwrap(), Descriptor::of(MANIFEST, b"arm64"));
    let annotations = BTreeMap::from([("b".to_owned(), "2".to_owned()), ("a".to_owned(), "ü".to_owned())]);
    let (bytes, descriptor) = make_index(&[arm64.clone(), amd64.clone()], &annotations).unwrap();
    assert_eq!(
        make_index(&[amd64.clone(), arm64.clone()], &annotations).unwrap(),
        (bytes.clone(), descriptor.clone())
    );
    assert_eq!(descriptor.digest, Digest::of(&bytes));
    insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"{"annotations":{"a":"ü","b":"2"},"manifests":[{"digest":"sha256:5861314d7fccb39c2192173240eab44fa35ca66426201ca2acd0630a6258dd51","mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"architecture":"amd64","os":"linux"},"size":5},{"digest":"sha256:f69162950f235e3cdbbad33f1f912d1a504be90d8a37d002c735d6f3e3882265","mediaType":"application/vnd.oci.image.manifest.v1+json","platform":{"architecture":"arm64","os":"linux"},"size":5}],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#);
    let error = make_index(&[amd64.clone(), arm64, amd64], &annotations).unwrap_err();
    insta::assert_snapshot!(error, @"ambiguous index: two images are for linux/amd64");
}
