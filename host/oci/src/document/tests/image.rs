//! What the host accepts as an image, and what it refuses.

use std::collections::BTreeMap;

use seed_model::{Descriptor, Digest, Image, PackedLayer, Platform};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::BlobStore;
use crate::document::media_type::{CONFIG, MANIFEST};
use crate::document::{canonical_json, check_image, make_index};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

struct Images {
    _directory: TempDir,
    store: BlobStore,
    layers: Vec<PackedLayer>,
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
            "config": {"Entrypoint": ["/bin/x"]},
            "history": [{"created_by": "one"}, {"created_by": "label", "empty_layer": true}, {"created_by": "two"}],
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
    }

    /// The image with this configuration and the manifest that `change` makes of the right one.
    fn image(&self, config: &Value, change: impl FnOnce(&mut Value)) -> Image {
        let config = canonical_json(config);
        self.store.put(&config).unwrap();
        let config = Descriptor::of(CONFIG, &config);
        let layers: Vec<&Descriptor> = self.layers.iter().map(|layer| &layer.descriptor).collect();
        let mut manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        change(&mut manifest);
        let manifest = canonical_json(&manifest);
        self.store.put(&manifest).unwrap();
        Image { manifest: Descriptor::of(MANIFEST, &manifest), config, layers: self.layers.clone() }
    }

    fn check(&self, image: &Image) -> Result<(), String> {
        let short = |text: String| text.split("sha256:").map(shorten).collect::<Vec<_>>().join("sha256:");
        check_image(&self.store, image, &self.layers, &platform()).map_err(|error| {
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
    config.as_object_mut().unwrap().remove("history");
    images.check(&images.image(&config, |manifest| manifest["annotations"] = json!({"a": "b"}))).unwrap();
}

#[test]
fn wrong_manifests_are_refused() {
    let images = Images::new();
    let mut errors = Vec::new();
    let changes: [fn(&mut Value); 9] = [
        |manifest| manifest["schemaVersion"] = json!(1),
        |manifest| manifest["mediaType"] = json!("application/vnd.docker.distribution.manifest.v2+json"),
        |manifest| manifest["config"]["size"] = json!(3),
        |manifest| manifest["layers"] = Value::Null,
        |manifest| drop(manifest["layers"].as_array_mut().unwrap().pop()),
        |manifest| manifest["layers"].as_array_mut().unwrap().swap(0, 1),
        |manifest| manifest["layers"][0]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar"),
        |manifest| manifest["annotations"] = json!({"a": 1}),
        |manifest| *manifest = json!([]),
    ];
    for change in changes {
        errors.push(images.check(&images.image(&images.config(), change)).unwrap_err());
    }
    insta::assert_snapshot!(errors.join("\n"), @"
    invalid image manifest sha256:3e8…: its schemaVersion is 1, expected 2
    invalid image manifest sha256:8d4…: its mediaType is `application/vnd.docker.distribution.manifest.v2+json`, expected `application/vnd.oci.image.manifest.v1+json`
    invalid image manifest sha256:303…: its config is sha256:170… (3 bytes, `application/vnd.oci.image.config.v1+json`), expected sha256:170… (389 bytes, `application/vnd.oci.image.config.v1+json`)
    invalid image manifest sha256:ab5…: invalid type: null, expected a sequence at line 1 column 174
    invalid image manifest sha256:83c…: it has 1 layers, expected 2
    invalid image manifest sha256:e9a…: it names layer sha256:3fc… (3 bytes, `application/vnd.oci.image.layer.v1.tar+gzip`), expected sha256:769… (3 bytes, `application/vnd.oci.image.layer.v1.tar+gzip`)
    invalid image manifest sha256:9dc…: it names layer sha256:769… (3 bytes, `application/vnd.oci.image.layer.v1.tar`), expected sha256:769… (3 bytes, `application/vnd.oci.image.layer.v1.tar+gzip`)
    invalid image manifest sha256:bbc…: invalid type: integer `1`, expected a string at line 1 column 21
    invalid image manifest sha256:4f5…: invalid type: sequence, expected a map at line 1 column 0
    ");
}

#[test]
fn wrong_configurations_are_refused() {
    let images = Images::new();
    let mut errors = Vec::new();
    let changes: [fn(&mut Value); 7] = [
        |config| config["architecture"] = json!("amd64"),
        |config| config["variant"] = json!("v8"),
        |config| config["config"] = Value::Null,
        |config| config["rootfs"]["type"] = json!("squashfs"),
        |config| config["rootfs"]["diff_ids"].as_array_mut().unwrap().swap(0, 1),
        |config| drop(config["rootfs"]["diff_ids"].as_array_mut().unwrap().pop()),
        |config| drop(config["history"].as_array_mut().unwrap().pop()),
    ];
    for change in changes {
        let mut config = images.config();
        change(&mut config);
        errors.push(images.check(&images.image(&config, |_| {})).unwrap_err());
    }
    insta::assert_snapshot!(errors.join("\n"), @"
    invalid image configuration sha256:911…: its platform is `linux/amd64`, expected linux/arm64
    invalid image configuration sha256:389…: its platform is `linux/arm64/v8`, expected linux/arm64
    invalid image configuration sha256:9e7…: it has no `config` object
    invalid image configuration sha256:518…: its rootfs.type is `squashfs`, expected `layers`
    invalid image configuration sha256:8c9…: its rootfs.diff_ids do not match the layers
    invalid image configuration sha256:3ce…: it has 1 diff IDs for 2 layers
    invalid image configuration sha256:a26…: its history has 1 steps with a layer, expected 2
    ");
}

#[test]
fn layers_are_those_that_were_packed() {
    let mut errors = Vec::new();
    let changes: [fn(&mut Images); 5] = [
        |images| images.layers[0].diff_id = Digest::of(b"a lie"),
        |images| images.layers.swap(0, 1),
        |images| drop(images.layers.pop()),
        |images| images.layers[1].descriptor = Descriptor::of(LAYER, b"not in the store"),
        |images| {
            // The packer's own layer, in the store, but a planned one is missing.
            images.layers[1].descriptor.digest = images.store.put(b"own").unwrap();
        },
    ];
    for change in changes {
        let mut images = Images::new();
        let packed = images.layers.clone();
        change(&mut images);
        let mut config = images.config();
        let steps = config["history"].as_array_mut().unwrap();
        steps.truncate(if images.layers.len() == 1 { 1 } else { 3 });
        let image = images.image(&config, |_| {});
        images.layers = packed;
        errors.push(images.check(&image).unwrap_err());
    }
    insta::assert_snapshot!(errors.join("\n"), @"
    invalid image manifest sha256:22f…: layer sha256:769… was packed as application/vnd.oci.image.layer.v1.tar+gzip with the diff ID sha256:89e…, not as application/vnd.oci.image.layer.v1.tar+gzip with sha256:11d…
    invalid image manifest sha256:63a…: layer sha256:3fc… is not at its place in the plan
    invalid image manifest sha256:e83…: the planned layer sha256:3fc… is missing
    invalid image manifest sha256:8e5…: layer sha256:686… is not in the blob store
    invalid image manifest sha256:e72…: the planned layer sha256:3fc… is missing
    ");

    // A layer that the packer wrote itself may stand between planned ones.
    let mut images = Images::new();
    let packed = images.layers.clone();
    images.store.put(b"own").unwrap();
    let own = PackedLayer { descriptor: Descriptor::of(LAYER, b"own"), diff_id: Digest::of(b"own!") };
    images.layers.insert(1, own);
    let mut config = images.config();
    config["history"] = json!([{}, {}, {}]);
    let image = images.image(&config, |_| {});
    images.layers = packed;
    images.check(&image).unwrap();
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
    insta::assert_snapshot!(errors.join("\n"), @"
    invalid image manifest sha256:139…: it has 551 bytes, expected 552
    blob sha256:ffa… is not in the store `[dir]`
    blob sha256:265… has 4194305 bytes, more than the limit of 4194304 for this kind of document
    ");
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
