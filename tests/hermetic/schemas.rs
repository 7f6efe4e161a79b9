//! Every document of an image is valid by the schemas of the OCI image specification.

use std::fs;

use jsonschema::{Registry, Validator};
use seed_tests::{Layout, TestEnvironment, repository};
use serde_json::Value;

const BASE: &str = "https://schemas.example/";

/// The schemas of image-spec 1.1.1.
struct Schemas(Registry<'static>);

impl Schemas {
    fn load() -> Self {
        let directory = repository().join("tests/fixtures/oci-schemas");
        let mut registry = Registry::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.file_name().unwrap().to_str().unwrap();
                let mut schema: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                remove_ids(&mut schema);
                registry = registry.add(format!("{BASE}{name}"), schema).unwrap();
            }
        }
        Self(registry.prepare().unwrap())
    }

    fn validator(&self, name: &str) -> Validator {
        let reference = serde_json::json!({ "$ref": format!("{BASE}{name}") });
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft4)
            .with_registry(&self.0)
            .build(&reference)
            .unwrap()
    }
}

/// The schemas refer to each other by file name, but give themselves other addresses.
fn remove_ids(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("id").is_some_and(Value::is_string) {
                object.remove("id");
            }
            object.values_mut().for_each(remove_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_ids),
        _ => {}
    }
}

#[track_caller]
fn check(validator: &Validator, document: &Value) {
    let errors: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

#[test]
fn documents_of_a_signed_image_are_valid_with_every_codec() {
    let schemas = Schemas::load();
    let (index, manifest) =
        (schemas.validator("image-index-schema.json"), schemas.validator("image-manifest-schema.json"));
    let (config, layout_marker) =
        (schemas.validator("config-schema.json"), schemas.validator("image-layout-schema.json"));
    assert!(!manifest.is_valid(&serde_json::json!({"schemaVersion": 2})), "the schemas refuse nothing");

    for compression in ["gzip", "zstd", "none"] {
        let environment = TestEnvironment::with_example("directories");
        environment.replace(
            "pipeline.toml",
            "compression = \"gzip\"",
            &format!("compression = \"{compression}\""),
        );
        environment.sign_with("cosign");
        environment.run_json(&[]);

        let layout = Layout::open(environment.path("result"));
        check(&layout_marker, &serde_json::from_str(&environment.read("result/oci-layout")).unwrap());
        check(&index, &layout.index());
        let manifests = layout.index()["manifests"].as_array().unwrap().clone();
        assert!(manifests.len() >= 3, "an image, a .sig manifest and a bundle: {manifests:#?}");
        for descriptor in &manifests {
            check(&manifest, &layout.document(descriptor));
        }
        let images = layout.images();
        assert_eq!(images.len(), 1);
        check(&config, &layout.document(&layout.document(&images[0])["config"]));
    }
}
