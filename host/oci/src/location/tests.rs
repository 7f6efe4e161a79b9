//! All locations, over one image.

mod bounds;

use std::sync::Arc;

use seed_http::{Credential, CredentialError, CredentialStore, Secret};
use seed_tests::{Gate, PASSWORD, USER};
use serde_json::json;

use super::testing::{Answer, Fixture, Registry, location, opened, tar, write_tar};
use super::{Location, LocationError, Reference, open};
use crate::document::media_type::{CONFIG, INDEX, MANIFEST};
use seed_model::{Descriptor, Digest};

/// The fixture as a layout, a tar, and in a registry with the referrers tag.
fn everywhere(fixture: &Fixture) -> (tempfile::TempDir, Vec<Box<dyn Location>>) {
    let directory = tempfile::tempdir().unwrap();
    let (layout, tar) = (directory.path().join("layout"), directory.path().join("image.tar"));
    fixture.write_layout(&layout);
    fixture.write_tar(&tar);
    let mut with_index = fixture.clone();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": fixture.referrers()});
    let index = with_index.document(INDEX, &index);
    with_index.name(&format!("sha256-{}", fixture.root().digest.hex()), &index);
    let registry = Registry::start(with_index, |_| None);
    let references = [
        format!("{}:v1", layout.display()),
        format!("{}:v1", tar.display()),
        format!("{}/org/app:v1", registry.host),
    ];
    (directory, references.iter().map(|reference| location(reference)).collect())
}

#[test]
fn every_source_gives_the_same() {
    let fixture = Fixture::new();
    let (_directory, locations) = everywhere(&fixture);
    for location in &locations {
        let root = location.resolve().unwrap();
        assert_eq!(
            (root.descriptor.digest, &root.bytes),
            (fixture.root().digest, &fixture.blobs[&fixture.root().digest])
        );
        for (digest, bytes) in &fixture.blobs {
            let mut copied = Vec::new();
            location.copy(&Descriptor::new("x", *digest, bytes.len() as u64), &mut copied).unwrap();
            assert!(copied == *bytes);
        }
        let mut referrers: Vec<Digest> =
            location.referrers(fixture.root().digest).unwrap().iter().map(|d| d.digest).collect();
        referrers.sort();
        let mut expected: Vec<Digest> = fixture.referrers().iter().map(|d| d.digest).collect();
        expected.sort();
        assert_eq!(referrers, expected, "{location:?}");
        assert_eq!(location.referrers(Digest::of(b"other")).unwrap(), []);
        let sig = format!("sha256-{}.sig", fixture.root().digest.hex());
        assert_eq!(location.tagged(&sig).unwrap().unwrap().descriptor.digest, fixture.named[1].1.digest);
        assert_eq!(location.tagged("missing").unwrap(), None);
    }
}

#[test]
fn content_that_is_not_what_was_asked_for_is_refused() {
    let fixture = Fixture::new();
    let (victim, bytes) = fixture.blobs.iter().next().unwrap();
    let descriptor = Descriptor::new(MANIFEST, *victim, bytes.len() as u64);
    let mut longer = bytes.clone();
    longer.push(b'!');
    let mut changed = bytes.clone();
    changed[0] ^= 1;
    for lie in [longer, changed, bytes[1..].to_vec(), Vec::new()] {
        let mut fixture = fixture.clone();
        fixture.blobs.insert(*victim, lie.clone());
        let (_directory, locations) = everywhere(&fixture);
        for location in &locations {
            assert!(location.copy(&descriptor, &mut Vec::new()).is_err(), "{location:?} with {lie:?}");
            assert!(location.manifest(&descriptor).is_err(), "{location:?} with {lie:?}");
        }
    }
}

#[test]
fn without_a_tag_the_only_image_is_meant() {
    let mut fixture = Fixture::new();
    let root = fixture.root().clone();
    fixture.name("ghcr.io/org/app:v1.0", &root);
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().to_str().unwrap();
    fixture.write_layout(directory.path());
    assert_eq!(location(text).resolve().unwrap().descriptor.digest, root.digest);
    let named = location(&format!("{text}:ghcr.io/org/app:v1.0"));
    assert_eq!(named.resolve().unwrap().descriptor.digest, root.digest);
    let error = |reference: &str| location(reference).resolve().unwrap_err().to_string().replace(text, "DIR");
    insta::assert_snapshot!(error(&format!("{text}:v2")), @"DIR has no image `v2`; available: ghcr.io/org/app:v1.0, v1");

    let config = fixture.document(CONFIG, &json!({}));
    let other = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
    let other = fixture.document(MANIFEST, &other);
    fixture.name("other", &other);
    fixture.write_layout(directory.path());
    insta::assert_snapshot!(error(text), @"DIR contains several images; available: ghcr.io/org/app:v1.0, other, v1; name one as DIR:NAME");

    fixture.named.clear();
    fixture.write_layout(directory.path());
    insta::assert_snapshot!(error(text), @"DIR has no image `latest`");
}

#[test]
fn layouts_and_archives_that_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let error = |name: &str| {
        let error = opened(path(name).to_str().unwrap()).and_then(|location| location.resolve()).unwrap_err();
        error.to_string().replace(directory.path().to_str().unwrap(), "DIR")
    };
    std::fs::create_dir(path("empty")).unwrap();
    insta::assert_snapshot!(error("empty"), @"cannot use index.json of DIR/empty: the file does not exist, so this is not an OCI layout");
    std::fs::create_dir(path("bad")).unwrap();
    std::fs::write(path("bad/index.json"), r#"{"schemaVersion": 2, "manifests": [{"digest": "md5:1"}]}"#)
        .unwrap();
    insta::assert_snapshot!(error("bad"), @"cannot use index.json of DIR/bad: `md5:1` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits at line 1 column 54");
    std::fs::create_dir_all(path("odd/index.json")).unwrap();
    insta::assert_snapshot!(error("odd"), @"cannot read DIR/odd/index.json: it is not a regular file");
    std::fs::write(path("text.tar"), "x".repeat(2000)).unwrap();
    insta::assert_snapshot!(error("text.tar"), @"DIR/text.tar is not an uncompressed tar archive of an image: no tar header at byte 0: a number is not octal");
    std::fs::write(path("short.tar"), "x").unwrap();
    insta::assert_snapshot!(error("short.tar"), @"DIR/short.tar is not an uncompressed tar archive of an image: no tar header at byte 0: it ends in the middle");
    write_tar(&path("cut.tar"), &Fixture::new().files());
    let bytes = std::fs::read(path("cut.tar")).unwrap();
    std::fs::write(path("cut.tar"), &bytes[..bytes.len() / 2 + 100]).unwrap();
    insta::assert_snapshot!(error("cut.tar"), @"DIR/cut.tar is not an uncompressed tar archive of an image: unexpected end of file");
}

#[test]
fn an_archive_that_only_docker_reads_is_seen_as_a_layout() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let layer = tar(&[("etc/passwd", 30)]);
    let config =
        json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [Digest::of(&layer)]}});
    let config = serde_json::to_vec(&config).unwrap();
    let listing = |layers: &[&str]| {
        json!([{"Config": "c.json", "RepoTags": ["docker.io/library/app:v1", "app:v2"], "Layers": layers}])
            .to_string()
    };
    let write = |listing: String, layer: &[u8]| {
        let files =
            [("c.json", config.as_slice()), ("manifest.json", listing.as_bytes()), ("a/layer.tar", layer)];
        write_tar(&path, &files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect());
    };
    write(listing(&["a/layer.tar"]), &layer);
    for tag in ["", ":docker.io/library/app:v1", ":app:v2"] {
        let location = location(&format!("{}{tag}", path.display()));
        let manifest: serde_json::Value = serde_json::from_slice(&location.resolve().unwrap().bytes).unwrap();
        assert_eq!(manifest["config"]["digest"], json!(Digest::of(&config)));
        let descriptor: Descriptor = serde_json::from_value(manifest["layers"][0].clone()).unwrap();
        let mut copied = Vec::new();
        location.copy(&descriptor, &mut copied).unwrap();
        assert!(copied == layer);
    }
    let open = || {
        let opened = opened(path.to_str().unwrap());
        opened.map_err(|e| e.to_string().replace(path.to_str().unwrap(), "FILE"))
    };
    write(listing(&["b/layer.tar"]), &layer);
    insta::assert_snapshot!(open().unwrap_err(), @"cannot use b/layer.tar of FILE: the archive does not contain it");
    write(listing(&[]), &layer);
    insta::assert_snapshot!(open().unwrap_err(), @"cannot use c.json of FILE: invalid image configuration sha256:339e56a156061bf1e1d527339c5d3e2c4a2e15e92512da387492583f9950448b: it has 1 diff IDs for 0 layers");
    write("[{}]".to_owned(), &layer);
    insta::assert_snapshot!(open().unwrap_err(), @"cannot use manifest.json of FILE: missing field `Config` at line 1 column 3");
    // Another layer than the configuration names.
    write(listing(&["a/layer.tar"]), &tar(&[("etc/passwd", 31)]));
    let descriptor = Descriptor::new("x", Digest::of(&layer), layer.len() as u64);
    assert!(matches!(open().unwrap().copy(&descriptor, &mut Vec::new()), Err(LocationError::Digest { .. })));
}

fn page(descriptors: &[Descriptor], next: Option<&str>) -> Answer {
    let link = next.map(|next| ("Link".to_owned(), format!("<{next}>; rel=\"next\"")));
    let body = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors});
    (200, link.into_iter().collect(), serde_json::to_vec(&body).unwrap())
}

#[test]
fn all_pages_of_the_referrers_api_are_read() {
    let fixture = Fixture::new();
    let referrers = fixture.referrers();
    let registry = Registry::start(fixture.clone(), move |path| match path.split_once("/referrers/")?.1 {
        rest if rest.ends_with("?n=2") => Some(page(&referrers[1..], None)),
        rest => Some(page(&referrers[..1], Some(&format!("/v2/org/app/referrers/{rest}?n=2")))),
    });
    let location = location(&format!("{}/org/app:v1", registry.host));
    assert_eq!(location.referrers(fixture.root().digest).unwrap(), fixture.referrers());
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_listing_that_fails_is_an_error_and_never_empty() {
    let fixture = Fixture::new();
    let subject = fixture.root().digest;
    let error = |answer: fn(&str) -> Option<Answer>| {
        let registry = Registry::start(Fixture::new(), answer);
        let error = location(&format!("{}/org/app:v1", registry.host)).referrers(subject).unwrap_err();
        error.to_string().replace(&registry.host, "HOST").replace(&subject.hex(), "HEX")
    };
    let denied = |path: &str| {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\u001b[31m way"}]}"#;
        path.contains("/referrers/").then(|| (403, Vec::new(), body.to_vec()))
    };
    insta::assert_snapshot!(error(denied), @r"http://HOST/v2/org/app/referrers/sha256:HEX answered 403: DENIED no\u{1b}[31m way");
    insta::assert_snapshot!(error(|p| p.contains("/referrers/").then(|| (200, Vec::new(), b"<html>".to_vec()))), @"cannot use the list of referrers of HOST/org/app: expected value at line 1 column 1");
    insta::assert_snapshot!(error(|p| p.contains("/referrers/").then(|| (200, Vec::new(), b"{}".to_vec()))), @"cannot use the list of referrers of HOST/org/app: it has no `manifests`");
    insta::assert_snapshot!(error(|p| p.contains("/referrers/").then(|| page(&[], Some(p)))), @"cannot use the list of referrers of HOST/org/app: it has more than 100 pages");
    // Without the API: what is at the fallback tag.
    insta::assert_snapshot!(error(|p| p.contains("/manifests/sha256-").then(|| (403, Vec::new(), Vec::new()))), @"http://HOST/v2/org/app/manifests/sha256-HEX answered 403");
    insta::assert_snapshot!(error(|p| p.contains("/manifests/sha256-").then(|| (200, Vec::new(), b"{}".to_vec()))), @"cannot use the referrers index `sha256-HEX` of HOST/org/app: it has no `manifests`");
}

#[test]
fn a_registry_that_lies_is_caught() {
    let fixture = Fixture::new();
    let error = |reference: &str, answer: fn(&str) -> Option<Answer>| {
        let registry = Registry::start(Fixture::new(), answer);
        let error = location(&format!("{}/{reference}", registry.host)).resolve().unwrap_err();
        error.to_string().replace(&registry.host, "HOST")
    };
    let other = |path: &str| {
        let digest = ("docker-content-digest".to_owned(), Digest::of(b"x").to_string());
        path.contains("/manifests/").then(|| (200, vec![digest], b"{}".to_vec()))
    };
    insta::assert_snapshot!(error("org/app:v1", other), @"cannot use the manifest `v1` of HOST/org/app: the registry states the digest sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881, but the content has sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    let two = |path: &str| {
        path.contains("/manifests/").then(|| (200, Vec::new(), br#"{"layers":[],"manifests":[]}"#.to_vec()))
    };
    insta::assert_snapshot!(error("org/app:v1", two), @"cannot use the manifest `v1` of HOST/org/app: it has both `layers` and `manifests`");
    let by_digest = format!("org/app@{}", fixture.root().digest);
    let swapped =
        |path: &str| path.contains("/manifests/").then(|| (200, Vec::new(), br#"{"layers":[]}"#.to_vec()));
    let root = fixture.root().digest.hex();
    insta::assert_snapshot!(error(&by_digest, swapped).replace(&root, "ROOT"), @"HOST/org/app returned the wrong content: expected sha256:ROOT (13 bytes), got sha256:c824a9aa7d2e3471306648c6d4baa1abbcb97ff0276181ab4722ca27127cdba0 (13 bytes)");
    insta::assert_snapshot!(error("org/app:v2", |_| None), @"HOST/org/app has no image `v2`");
    let huge =
        |path: &str| path.contains("/manifests/").then(|| (200, Vec::new(), vec![b' '; (4 << 20) + 1]));
    insta::assert_snapshot!(error("org/app:v1", huge), @"the response from http://HOST/v2/org/app/manifests/v1 exceeds the limit of 4194304 bytes");
}

/// One user's credential for every registry.
#[derive(Debug)]
struct OneUser(Option<Credential>);

impl CredentialStore for OneUser {
    fn get(&self, _: &str) -> Result<Option<Credential>, CredentialError> {
        Ok(self.0.clone())
    }
}

#[test]
fn a_private_image_is_read_by_who_knows_the_password() {
    let fixture = Fixture::new();
    let layer = fixture.blobs.iter().next().unwrap();
    let layer = Descriptor::new("x", *layer.0, layer.1.len() as u64);
    let password =
        |text: &str| Credential::Password { username: USER.to_owned(), password: Secret::new(text) };
    for gate in [Gate::Basic, Gate::BearerHere] {
        let registry = Registry::behind(gate, fixture.clone(), |_| None);
        let reference = Reference::find(&format!("{}/org/app:v1", registry.host)).unwrap();
        let location = |credential| open(&reference, Arc::new(OneUser(credential)), None).unwrap();
        let known = location(Some(password(PASSWORD)));
        assert_eq!(known.resolve().unwrap().descriptor.digest, fixture.root().digest);
        known.copy(&layer, &mut Vec::new()).unwrap();
        known.referrers(fixture.root().digest).unwrap();
        for unknown in [None, Some(password("another"))] {
            let location = location(unknown);
            let errors = [
                location.resolve().unwrap_err(),
                location.copy(&layer, &mut Vec::new()).unwrap_err(),
                location.referrers(fixture.root().digest).unwrap_err(),
            ];
            assert!(errors.iter().all(|error| matches!(error, LocationError::Http(_))), "{errors:?}");
        }
    }
}

#[test]
fn a_copy_that_fails_says_which_blob() {
    let fixture = Fixture::new();
    let registry =
        Registry::start(fixture, |path| path.contains("/blobs/").then(|| (403, Vec::new(), Vec::new())));
    let location = location(&format!("{}/org/app:v1", registry.host));
    let blob = Descriptor::of("x", b"missing");
    assert!(matches!(location.copy(&blob, &mut Vec::new()), Err(LocationError::Status { status: 403, .. })));
}
