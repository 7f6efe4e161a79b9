//! The most that a place may hold is read; one more is refused.

use serde_json::json;

use crate::document::MAX_DOCUMENT;
use crate::document::media_type::{INDEX, MANIFEST};
use crate::inspect::{InspectOptions, MAX_REFERRERS, inspect};
use crate::location::testing::{Answer, Fixture, Registry, location, opened, tar, write_tar};
use crate::location::{ContentBudget, ContentLimits, Location, UnpackError, read_layer};
use crate::verify::{signature_documents, verify_image};
use seed_model::{Descriptor, Digest};

/// A document with spaces behind it, up to this size.
fn padded(document: &[u8], size: u64) -> Vec<u8> {
    let mut padded = document.to_vec();
    padded.resize(usize::try_from(size).unwrap(), b' ');
    padded
}

/// The fixture as a layout and in a registry.
fn everywhere(fixture: &Fixture) -> (tempfile::TempDir, [Box<dyn Location>; 2]) {
    let directory = tempfile::tempdir().unwrap();
    fixture.write_layout(directory.path());
    let registry = Registry::start(fixture.clone(), |_| None);
    let references = [format!("{}:v1", directory.path().display()), format!("{}/org/app:v1", registry.host)];
    (directory, references.map(|reference| location(&reference)))
}

#[test]
fn documents_of_the_largest_size_are_read() {
    let mut fixture = Fixture::new();
    let document = fixture.blobs[&fixture.root().digest].clone();
    let largest = fixture.blob(INDEX, &padded(&document, MAX_DOCUMENT));
    let larger = fixture.blob(INDEX, &padded(&document, MAX_DOCUMENT + 1));
    let (_directory, locations) = everywhere(&fixture);
    for location in &locations {
        for read in [Location::manifest, Location::read] {
            assert_eq!(read(location.as_ref(), &largest).unwrap().len() as u64, MAX_DOCUMENT);
            let error = read(location.as_ref(), &larger).unwrap_err().to_string();
            assert!(error.ends_with("it is larger than 4194304 bytes"), "{error}");
        }
    }
}

#[test]
fn a_layout_is_listed_up_to_the_largest_index() {
    let fixture = Fixture::new();
    let directory = tempfile::tempdir().unwrap();
    let resolve = |size: u64| {
        fixture.write_layout(directory.path());
        let path = directory.path().join("index.json");
        std::fs::write(&path, padded(&std::fs::read(&path).unwrap(), size)).unwrap();
        opened(directory.path().to_str().unwrap())
            .and_then(|location| location.resolve())
            .map_err(|error| error.to_string())
    };
    assert_eq!(resolve(MAX_DOCUMENT).unwrap().descriptor.digest, fixture.root().digest);
    assert!(resolve(MAX_DOCUMENT + 1).unwrap_err().ends_with("it is larger than 4194304 bytes"));
}

#[test]
fn an_archive_of_docker_has_so_large_a_listing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let layer = tar(&[("etc/passwd", 30)]);
    let config =
        json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [Digest::of(&layer)]}});
    let resolve = |images: usize, size: u64| {
        let image = json!({"Config": "c.json", "RepoTags": ["app:v1"], "Layers": ["layer.tar"]});
        let listing = json!(vec![image; images]).to_string();
        let size = size.max(listing.len() as u64);
        let files = [
            ("c.json".to_owned(), config.to_string().into_bytes()),
            ("manifest.json".to_owned(), padded(listing.as_bytes(), size)),
            ("layer.tar".to_owned(), layer.clone()),
        ];
        write_tar(&path, &files.into());
        opened(path.to_str().unwrap()).map(drop).map_err(|error| error.to_string())
    };
    resolve(1, MAX_DOCUMENT).unwrap();
    assert!(resolve(1, MAX_DOCUMENT + 1).unwrap_err().ends_with("it is larger than 4194304 bytes"));
    resolve(1_000, 0).unwrap();
    assert!(resolve(1_001, 0).unwrap_err().ends_with("it lists more than 1000 images"));
}

/// A registry that lists referrers on so many pages, each with `descriptors`.
fn listing(pages: usize, descriptors: &[Descriptor]) -> Registry {
    let body = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors}).to_string();
    Registry::start(Fixture::default(), move |path| -> Option<Answer> {
        let (_, rest) = path.split_once("/referrers/")?;
        let page: usize = rest.split_once("?n=").map_or(1, |(_, page)| page.parse().unwrap());
        let next = format!("<?n={}>; rel=\"next\"", page + 1);
        // A link may be relative to the page itself.
        let next = next.replace("<?", &format!("<{}?", rest.split('?').next().unwrap()));
        let link = (page < pages).then(|| ("link".to_owned(), next));
        Some((200, link.into_iter().collect(), body.clone().into_bytes()))
    })
}

#[test]
fn referrers_are_listed_up_to_the_last_page_and_the_last_entry() {
    let subject = Digest::of(b"subject");
    let one = Descriptor::of(MANIFEST, b"{}");
    let referrers = |pages: usize, descriptors: &[Descriptor]| {
        let registry = listing(pages, descriptors);
        let found = location(&format!("{}/org/app:v1", registry.host)).referrers(subject);
        found.map(|found| found.len()).map_err(|error| error.to_string())
    };
    assert_eq!(referrers(100, std::slice::from_ref(&one)), Ok(100));
    assert!(referrers(101, std::slice::from_ref(&one)).unwrap_err().ends_with("it has more than 100 pages"));
    assert_eq!(referrers(2, &vec![one.clone(); 5000]), Ok(10_000));
    assert!(referrers(3, &vec![one.clone(); 3334]).unwrap_err().ends_with("it has more than 10000 entries"));
    assert!(referrers(1, &vec![one; 10_001]).unwrap_err().ends_with("it has more than 10000 entries"));
}

#[test]
fn so_many_referrers_are_opened() {
    let mut fixture = Fixture::new();
    let subject = fixture.root().clone();
    let empty = fixture.blob("application/vnd.oci.empty.v1+json", b"{}");
    fixture.named.truncate(1);
    for number in 0..=MAX_REFERRERS {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/x", "config": empty,
            "layers": [], "subject": subject, "annotations": {"number": number.to_string()},
        });
        let mut manifest = fixture.document(MANIFEST, &manifest);
        manifest.artifact_type = Some("application/x".to_owned());
        fixture.named.push((None, manifest));
    }
    let read = |fixture: &Fixture| {
        let directory = tempfile::tempdir().unwrap();
        fixture.write_layout(directory.path());
        let location = location(&format!("{}:v1", directory.path().display()));
        let documents = signature_documents(location.as_ref(), subject.digest).map(Iterator::count);
        let options = InspectOptions { largest: 0, limits: ContentLimits::default() };
        let inspection = inspect(location.as_ref(), &options).map(|found| found.signatures[0].others.len());
        (documents.map_err(|error| error.to_string()), inspection.map_err(|error| error.to_string()))
    };
    let (documents, inspection) = read(&fixture);
    assert!(documents.unwrap_err().ends_with("it has more than 1000 entries"));
    assert!(inspection.unwrap_err().ends_with("it has more than 1000 entries"));
    fixture.named.pop();
    assert_eq!(read(&fixture), (Ok(1000), Ok(1000)));
}

#[test]
fn an_index_has_so_many_images() {
    let check = |count: usize| {
        let mut fixture = Fixture::new();
        let index: serde_json::Value =
            serde_json::from_slice(&fixture.blobs[&fixture.root().digest]).unwrap();
        let config: Digest = {
            let manifest: Descriptor = serde_json::from_value(index["manifests"][0].clone()).unwrap();
            let manifest: serde_json::Value =
                serde_json::from_slice(&fixture.blobs[&manifest.digest]).unwrap();
            manifest["config"]["digest"].as_str().unwrap().parse().unwrap()
        };
        let config: serde_json::Value = serde_json::from_slice(&fixture.blobs[&config]).unwrap();
        let manifests: Vec<Descriptor> = (0..count)
            .map(|number| {
                let mut config = config.clone();
                config["architecture"] = json!(format!("a{number}"));
                config["rootfs"]["diff_ids"] = json!([]);
                config["history"] = json!([]);
                let config = fixture.document("application/vnd.oci.image.config.v1+json", &config);
                let manifest =
                    json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []});
                let mut manifest = fixture.document(MANIFEST, &manifest);
                manifest.platform = Some(seed_model::Platform {
                    os: "linux".to_owned(),
                    architecture: format!("a{number}"),
                    variant: None,
                });
                manifest
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let index = fixture.document(INDEX, &index);
        fixture.named = vec![(Some("v1".to_owned()), index)];
        let directory = tempfile::tempdir().unwrap();
        fixture.write_layout(directory.path());
        let location = location(directory.path().to_str().unwrap());
        let whole = verify_image(location.as_ref(), &ContentLimits::default());
        let options = InspectOptions { largest: 0, limits: ContentLimits::default() };
        let inspection = inspect(location.as_ref(), &options);
        (
            whole.map(|image| image.images.len()).map_err(|error| error.to_string()),
            inspection.map(|found| found.images.len()).map_err(|error| error.to_string()),
        )
    };
    assert_eq!(check(256), (Ok(256), Ok(256)));
    let (whole, inspection) = check(257);
    assert!(whole.unwrap_err().ends_with("it has 257 images, expected 1 to 256"));
    assert!(inspection.unwrap_err().ends_with("it has more than 256 images"));
    assert!(check(0).0.unwrap_err().ends_with("it has 0 images, expected 1 to 256"));
}

#[test]
fn a_layer_unpacks_to_so_much() {
    let content = tar(&[("a", 3000), ("b", 10)]);
    let layers = [
        ("application/vnd.oci.image.layer.v1.tar", content.clone()),
        ("application/vnd.oci.image.layer.v1.tar+gzip", crate::location::testing::gzip(&content)),
        ("application/vnd.oci.image.layer.v1.tar+zstd", zstd::encode_all(&content[..], 3).unwrap()),
    ];
    let mut fixture = Fixture::new();
    for (media_type, bytes) in layers {
        let layer = fixture.blob(media_type, &bytes);
        let directory = tempfile::tempdir().unwrap();
        fixture.write_layout(directory.path());
        let location = location(&format!("{}:v1", directory.path().display()));
        let read = |entries: u64, unpacked: u64| {
            let limits = ContentLimits { entries, unpacked };
            let diff_id = Some(Digest::of(&content));
            read_layer(location.as_ref(), &layer, diff_id, &ContentBudget::new(&limits), |_| Ok(()))
                .map_err(|e| e.to_string())
        };
        let size = content.len() as u64;
        read(2, size).unwrap();
        assert!(read(2, size - 1).unwrap_err().ends_with("its uncompressed size exceeds the limit"));
        assert!(read(1, size).unwrap_err().ends_with("it has more than 1 entries"));
        let other = Some(Digest::of(b"other"));
        let budget = ContentBudget::new(&ContentLimits::default());
        let error = read_layer(location.as_ref(), &layer, other, &budget, |_| Ok(()));
        assert!(matches!(error, Err(UnpackError::DiffId { .. })));
    }
}
