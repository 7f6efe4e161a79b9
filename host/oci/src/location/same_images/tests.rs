//! Archives for two kinds of tools, and names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::document::media_type::{CONFIG, MANIFEST};
use crate::location::testing::{Fixture, location, opened, write_tar};

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

/// An image of one layer.
fn image(fixture: &mut Fixture, text: &str) -> Descriptor {
    let layer = fixture.blob(TAR, text.as_bytes());
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [layer.digest]}});
    let config = fixture.document(CONFIG, &config);
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]});
    fixture.document(MANIFEST, &manifest)
}

fn file(descriptor: &Value) -> String {
    descriptor["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/")
}

/// What `manifest.json` says of an image.
fn docker(fixture: &Fixture, manifest: &Descriptor, names: &[&str]) -> Value {
    let manifest: Value = serde_json::from_slice(&fixture.blobs[&manifest.digest]).unwrap();
    let layers: Vec<_> = manifest["layers"].as_array().unwrap().iter().map(file).collect();
    json!({"Config": file(&manifest["config"]), "Layers": layers, "RepoTags": names})
}

/// The manifests of the index at the root.
fn children(fixture: &Fixture) -> Vec<Descriptor> {
    let index: Value = serde_json::from_slice(&fixture.blobs[&fixture.root().digest]).unwrap();
    serde_json::from_value(index["manifests"].clone()).unwrap()
}

/// A directory with the archive `a.tar`.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        write_tar(&place.path("a.tar"), files);
        place
    }

    fn with(fixture: &Fixture, docker: &Value) -> Self {
        let mut files = fixture.files();
        files.insert(LISTING.to_owned(), docker.to_string().into_bytes());
        Self::new(&files)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self) -> String {
        self.0.path().display().to_string()
    }

    /// The digest that a reference resolves to. `DIR` stands for the directory.
    fn resolve(&self, reference: &str) -> Result<Digest, String> {
        let found = opened(&reference.replace("DIR", &self.text())).and_then(|location| location.resolve());
        found.map(|found| found.descriptor.digest).map_err(|e| e.to_string().replace(&self.text(), "DIR"))
    }

    #[track_caller]
    fn error(&self, reference: &str) -> String {
        self.resolve(reference).unwrap_err()
    }
}

#[test]
fn an_archive_that_says_the_same_to_all_tools_has_the_names_of_both() {
    let fixture = Fixture::new();
    let root = fixture.root().digest;
    let [amd64, arm64] = children(&fixture).try_into().unwrap();
    let listing = json!([
        docker(&fixture, &amd64, &["app:v1-amd64", "app:v1"]),
        docker(&fixture, &arm64, &["app:v1-arm64"])
    ]);
    let place = Place::with(&fixture, &listing);
    for reference in ["DIR/a.tar", "DIR/a.tar:v1", "oci-archive:DIR/a.tar", "oci-archive:DIR/a.tar:v1"] {
        assert_eq!(place.resolve(reference).unwrap(), root, "{reference}");
    }
    for form in ["", "docker-archive:"] {
        assert_eq!(place.resolve(&format!("{form}DIR/a.tar:app:v1")).unwrap(), amd64.digest);
        assert_eq!(place.resolve(&format!("{form}DIR/a.tar:app:v1-arm64")).unwrap(), arm64.digest);
    }
    assert_snapshot!(place.error("docker-archive:DIR/a.tar:v1"), @"DIR/a.tar has no image `v1`; available: app:v1, app:v1-amd64, app:v1-arm64");
    assert_snapshot!(place.error("oci-archive:DIR/a.tar:app:v1"), @"DIR/a.tar has no image `app:v1`; available: v1");
    // `docker save` leaves out what it does not have.
    let mut partial = fixture.clone();
    partial.blobs.remove(&arm64.digest);
    let place = Place::with(&partial, &json!([docker(&fixture, &amd64, &["app:v1"])]));
    assert_eq!(place.resolve("DIR/a.tar:v1").unwrap(), root);
    // Files may have other names than digests.
    let mut files = fixture.files();
    let mut listing = docker(&fixture, &amd64, &["app:v1"]);
    for (at, name) in [("/Config", "c.json"), ("/Layers/1", "one.tar")] {
        let file = listing.pointer_mut(at).unwrap();
        files.insert(name.to_owned(), files[file.as_str().unwrap()].clone());
        *file = json!(name);
    }
    files.insert(LISTING.to_owned(), json!([listing]).to_string().into_bytes());
    assert_eq!(Place::new(&files).resolve("DIR/a.tar").unwrap(), root);
}

#[test]
fn an_archive_with_other_images_for_docker_is_refused_by_every_reader() {
    let mut fixture = Fixture::default();
    let (good, evil) = (image(&mut fixture, "good"), image(&mut fixture, "evil"));
    fixture.name("v1", &good);
    let good_listing = docker(&fixture, &good, &["app:v1"]);
    let error = |listing: Value| {
        let place = Place::with(&fixture, &listing);
        let error = place.error("DIR/a.tar");
        for form in ["oci-archive:", "docker-archive:"] {
            assert_eq!(place.error(&format!("{form}DIR/a.tar")), error);
        }
        error
    };
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut listing = good_listing.clone();
        change(&mut listing);
        error(json!([listing]))
    };
    let other = docker(&fixture, &evil, &["app:v1"]);
    assert_snapshot!(error(json!([other])), @"DIR/a.tar contains different images for OCI tools and for Docker: `app:v1` of manifest.json is not one of the images in index.json");
    assert_snapshot!(error(json!([good_listing, docker(&fixture, &evil, &[])])), @"DIR/a.tar contains different images for OCI tools and for Docker: `blobs/sha256/58439f69fe06f94edee9de5ef5d7653751cb62a28f1891dd9f2d502398150ecc` of manifest.json is not one of the images in index.json");
    assert_snapshot!(error(json!([])), @"DIR/a.tar contains different images for OCI tools and for Docker: manifest.json lacks `v1` of index.json");
    assert_snapshot!(changed(&|listing| listing["Layers"] = other["Layers"].clone()), @"DIR/a.tar contains different images for OCI tools and for Docker: `app:v1` of manifest.json is not one of the images in index.json");
    assert_snapshot!(changed(&|listing| listing["Layers"] = json!([])), @"DIR/a.tar contains different images for OCI tools and for Docker: `app:v1` of manifest.json is not one of the images in index.json");
    assert_snapshot!(changed(&|listing| listing["Config"] = json!("config.json")), @"cannot use config.json of DIR/a.tar: the archive does not contain it");
    assert_snapshot!(changed(&|listing| listing["config"] = other["Config"].clone()), @r#"cannot use manifest.json of DIR/a.tar: it has the key "config", which some tools take for `Config`"#);
    assert_snapshot!(changed(&|listing| listing["layer\u{17f}"] = other["Layers"].clone()), @r#"cannot use manifest.json of DIR/a.tar: it has the key "layerſ", which some tools take for `Layers`"#);
    assert_snapshot!(error(json!({"schemaVersion": 2})), @"cannot use manifest.json of DIR/a.tar: invalid type: map, expected a sequence at line 1 column 0");
}

#[test]
fn a_name_is_one_image_to_all_tools() {
    let mut fixture = Fixture::default();
    let (one, two) = (image(&mut fixture, "one"), image(&mut fixture, "two"));
    fixture.name("v1", &one);
    fixture.name("registry.example/app:v2", &two);
    let listing = |first: &[&str], second: &[&str]| {
        json!([docker(&fixture, &one, first), docker(&fixture, &two, second)])
    };
    let place = Place::with(&fixture, &listing(&["app:v1", "app:first"], &["registry.example/app:v2"]));
    assert_eq!(place.resolve("docker-archive:DIR/a.tar:app:first").unwrap(), one.digest);
    assert_eq!(place.resolve("DIR/a.tar:registry.example/app:v2").unwrap(), two.digest);
    let error = |first: &[&str], second: &[&str]| {
        Place::with(&fixture, &listing(first, second)).error("DIR/a.tar:v1")
    };
    assert_snapshot!(error(&["app:v2"], &["app:v1"]), @"DIR/a.tar contains different images for OCI tools and for Docker: `app:v2` of manifest.json is another image than in index.json");
    assert_snapshot!(error(&["registry.example/app:v2"], &[]), @"DIR/a.tar contains different images for OCI tools and for Docker: `registry.example/app:v2` of manifest.json is another image than in index.json");
    let lacking = Place::with(&fixture, &json!([docker(&fixture, &one, &[])]));
    assert_snapshot!(lacking.error("DIR/a.tar:v1"), @"DIR/a.tar contains different images for OCI tools and for Docker: manifest.json lacks `registry.example/app:v2` of index.json");
    // The name of an image that both files list, for another one in the list of Docker.
    let twice = Place::with(&fixture, &listing(&["x:1"], &["x:1"]));
    assert_eq!(twice.error("DIR/a.tar:x:1").matches("sha256:").count(), 2);
}

#[test]
fn a_layout_directory_has_one_image_too() {
    let mut fixture = Fixture::default();
    let (good, evil) = (image(&mut fixture, "good"), image(&mut fixture, "evil"));
    fixture.name("v1", &good);
    let place = Place::new(&BTreeMap::new());
    let write = |listing: Value| {
        fixture.write_layout(&place.path("layout"));
        std::fs::write(place.path("layout/manifest.json"), listing.to_string()).unwrap();
    };
    write(json!([docker(&fixture, &good, &["app:v1"])]));
    assert_eq!(place.resolve("DIR/layout").unwrap(), good.digest);
    write(json!([docker(&fixture, &evil, &["app:v1"])]));
    assert_snapshot!(place.error("DIR/layout"), @"DIR/layout contains different images for OCI tools and for Docker: `app:v1` of manifest.json is not one of the images in index.json");
    // What `skopeo copy … dir:` writes.
    write(json!({"schemaVersion": 2, "config": {}, "layers": []}));
    assert_snapshot!(place.error("oci:DIR/layout"), @"cannot use manifest.json of DIR/layout: invalid type: map, expected a sequence at line 1 column 0");
}

#[test]
fn what_only_old_versions_of_docker_read_is_refused() {
    let mut fixture = Fixture::default();
    let image = image(&mut fixture, "good");
    fixture.name("v1", &image);
    let mut files = fixture.files();
    files.insert("repositories".to_owned(), br#"{"app": {"v1": "1234"}}"#.to_vec());
    assert_snapshot!(Place::new(&files).error("DIR/a.tar"), @"DIR/a.tar contains different images for OCI tools and for Docker: it has `repositories`, but no manifest.json");
    let listing = json!([docker(&fixture, &image, &["app:v1"])]);
    files.insert(LISTING.to_owned(), listing.to_string().into_bytes());
    assert_eq!(Place::new(&files).resolve("DIR/a.tar").unwrap(), image.digest);
}

#[test]
fn forms_must_be_what_is_there() {
    let mut fixture = Fixture::default();
    let image = image(&mut fixture, "good");
    fixture.name("v1", &image);
    let place = Place::new(&fixture.files());
    fixture.write_layout(&place.path("layout"));
    assert_snapshot!(place.error("oci:DIR/a.tar"), @"invalid image reference `oci:DIR/a.tar`: it is not a directory; write `oci-archive:` for a tar");
    assert_snapshot!(place.error("oci-archive:DIR/layout"), @"invalid image reference `oci-archive:DIR/layout`: it is a directory; write `oci:` for a layout");
    assert_snapshot!(place.error("docker-archive:DIR/a.tar"), @"invalid image reference `docker-archive:DIR/a.tar`: it has no manifest.json; write `oci-archive:` for a layout");
    let mut files = fixture.files();
    files.remove("index.json");
    files.insert(LISTING.to_owned(), json!([docker(&fixture, &image, &["app:v1"])]).to_string().into_bytes());
    let place = Place::new(&files);
    assert_snapshot!(place.error("oci-archive:DIR/a.tar"), @"invalid image reference `oci-archive:DIR/a.tar`: it has no index.json; write `docker-archive:` for what `docker save` wrote");
    assert!(place.resolve("docker-archive:DIR/a.tar:app:v1").is_ok());
    assert_snapshot!(place.error("docker-archive:DIR/a.tar:v1"), @"DIR/a.tar has no image `v1`; available: app:v1");
}

#[test]
fn names_match_as_a_whole_and_mean_one_image() {
    let mut fixture = Fixture::default();
    let (one, two) = (image(&mut fixture, "one"), image(&mut fixture, "two"));
    fixture.name("x:v1", &one);
    let place = Place::new(&fixture.files());
    assert_snapshot!(place.error("DIR/a.tar:v1"), @"DIR/a.tar has no image `v1`; available: x:v1");
    assert_eq!(place.resolve("DIR/a.tar:x:v1").unwrap(), one.digest);
    // The same image twice is one image; another one of that name is not taken for it.
    fixture.name("x:v1", &one);
    assert_eq!(Place::new(&fixture.files()).resolve("DIR/a.tar:x:v1").unwrap(), one.digest);
    fixture.name("x:v1", &two);
    let place = Place::new(&fixture.files());
    assert_snapshot!(place.error("DIR/a.tar:x:v1"), @"DIR/a.tar contains several images with the name `x:v1`: sha256:32dc9f1ef97ea8ec717d062015be5aeebe832fa45f779a6bafe2c21b05cacc99, sha256:5b58dc324f1c0712c85e51bb9ca74082e71d06814d1155c413f846bdf2ae9b81; name one as DIR/a.tar:x:v1@DIGEST");
    assert_eq!(place.resolve(&format!("DIR/a.tar:x:v1@{}", two.digest)).unwrap(), two.digest);
    // Signatures, too: nobody chooses which of them is read.
    let tag = format!("sha256-{}.sig", one.digest.hex());
    fixture.name(&tag, &one);
    fixture.name(&format!("ghcr.io/org/app:{tag}"), &two);
    write_tar(&place.path("a.tar"), &fixture.files());
    let tagged = |place: &Place| {
        let tagged = location(place.path("a.tar").to_str().unwrap()).tagged(&tag);
        tagged.map(|found| found.unwrap().descriptor.digest).map_err(|error| error.to_string())
    };
    assert_eq!(tagged(&place).unwrap(), one.digest);
    fixture.name(&tag, &two);
    write_tar(&place.path("a.tar"), &fixture.files());
    assert!(tagged(&place).unwrap_err().contains("contains several images with the name"));
}

#[test]
fn a_digest_is_compared_wherever_the_image_is() {
    let fixture = Fixture::new();
    let root = fixture.root().digest;
    let place = Place::new(&fixture.files());
    fixture.write_layout(&place.path("layout"));
    let other = Digest::of(b"other");
    for path in ["DIR/a.tar", "oci-archive:DIR/a.tar", "DIR/layout", "oci:DIR/layout"] {
        assert_eq!(place.resolve(&format!("{path}@{root}")).unwrap(), root);
        assert_eq!(place.resolve(&format!("{path}:v1@{root}")).unwrap(), root);
        for child in children(&fixture) {
            assert_eq!(place.resolve(&format!("{path}@{}", child.digest)).unwrap(), child.digest);
            assert!(place.resolve(&format!("{path}:v1@{}", child.digest)).is_err());
        }
        for name in ["", ":v1"] {
            let error = place.error(&format!("{path}{name}@{other}"));
            assert!(error.ends_with(&format!(" contains {root}, not {other}")), "{error}");
        }
        assert_eq!(place.error(&format!("{path}:v2@{root}")).matches("has no image `v2`").count(), 1);
    }
    let mut docker_only = Fixture::default();
    let image = image(&mut docker_only, "good");
    let mut files = docker_only.files();
    files.remove("index.json");
    files.insert(
        LISTING.to_owned(),
        json!([docker(&docker_only, &image, &["app:v1"])]).to_string().into_bytes(),
    );
    let place = Place::new(&files);
    let made = place.resolve("DIR/a.tar").unwrap();
    assert_eq!(place.resolve(&format!("docker-archive:DIR/a.tar:app:v1@{made}")).unwrap(), made);
    assert!(place.error(&format!("DIR/a.tar@{}", image.digest)).contains(&format!(", not {}", image.digest)));
}

#[test]
fn an_artifact_is_not_an_image_for_docker() {
    // Somebody hides an image among the artifacts, where nobody verifies it, and has Docker load it.
    let mut fixture = Fixture::default();
    let (good, evil) = (image(&mut fixture, "good"), image(&mut fixture, "evil"));
    fixture.name("v1", &good);
    let mut artifact = evil.clone();
    artifact.artifact_type = Some("application/x".to_owned());
    fixture.named.push((None, artifact));
    fixture.name("sha256-1234", &evil);
    let listing = json!([docker(&fixture, &good, &[]), docker(&fixture, &evil, &["app:v1"])]);
    assert_snapshot!(Place::with(&fixture, &listing).error("DIR/a.tar"), @"DIR/a.tar contains different images for OCI tools and for Docker: `app:v1` of manifest.json is not one of the images in index.json");
}
