//! Blobs that are missing, damaged, cut off, or something else.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::document::MAX_DOCUMENT;
use crate::document::{ManifestOrIndex, STRICT};
use crate::location::testing::{Fixture, Registry, location};

/// Everything that the fixture's first image consists of.
fn blobs(location: &dyn Location) -> Vec<Descriptor> {
    let root = location.resolve().unwrap();
    let ManifestOrIndex::Index(index) = STRICT.document(&root.descriptor, &root.bytes).unwrap() else {
        panic!("the fixture is an index")
    };
    let image = index.manifests[0].clone();
    let manifest = STRICT.manifest(&image, &location.manifest(&image).unwrap()).unwrap();
    [root.descriptor, image, manifest.config].into_iter().chain(manifest.layers).collect()
}

/// A store, and the file of a blob in it.
fn store() -> (tempfile::TempDir, BlobStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = BlobStore::open(&directory.path().join("cache")).unwrap();
    (directory, store)
}

fn partial_files(store: &BlobStore) -> usize {
    fs::read_dir(store.root().join("partial")).unwrap().count()
}

#[test]
fn what_is_damaged_is_fetched_again_from_every_place() {
    let fixture = Fixture::new();
    let places = tempfile::tempdir().unwrap();
    let (layout, tar) = (places.path().join("layout"), places.path().join("image.tar"));
    fixture.write_layout(&layout);
    fixture.write_tar(&tar);
    let registry = Registry::start(fixture, |_| None);
    for reference in [
        format!("{}:v1", layout.display()),
        format!("{}:v1", tar.display()),
        format!("{}/org/app:v1", registry.host),
    ] {
        let location = location(&reference);
        let (_directory, store) = store();
        for blob in blobs(location.as_ref()) {
            assert!(!is_kept(&store, &blob).unwrap());
            fetch(&store, &blob, location.as_ref()).unwrap();
            let path = store.path(blob.digest);
            let good = fs::read(&path).unwrap();
            // A flipped bit, a cut, something more, nothing.
            let mut flipped = good.clone();
            flipped[good.len() / 2] ^= 1;
            let longer = [&good[..], b"!"].concat();
            for damaged in [flipped, good[1..].to_vec(), longer, Vec::new()] {
                fs::write(&path, damaged).unwrap();
                assert!(!is_kept(&store, &blob).unwrap());
                assert_eq!(kept(&store, blob.digest, MAX_DOCUMENT).unwrap(), None);
                fetch(&store, &blob, location.as_ref()).unwrap();
                assert!(fs::read(&path).unwrap() == good, "{reference}");
            }
            assert!(is_kept(&store, &blob).unwrap());
        }
        assert_eq!(partial_files(&store), 0);
    }
}

#[test]
fn what_is_kept_is_not_asked_for() {
    let registry = Registry::start(Fixture::new(), |_| None);
    let location = location(&format!("{}/org/app:v1", registry.host));
    let (_directory, store) = store();
    let blobs = blobs(location.as_ref());
    let fetch_all = || {
        for blob in &blobs {
            fetch(&store, blob, location.as_ref()).unwrap();
        }
    };
    fetch_all();
    let before = registry.requests().len();
    fetch_all();
    assert_eq!(registry.requests().len(), before);
}

#[test]
fn other_content_is_not_kept() {
    let mut fixture = Fixture::new();
    let good = fixture.clone();
    let good_registry = Registry::start(good, |_| None);
    let blobs = blobs(location(&format!("{}/org/app:v1", good_registry.host)).as_ref());
    fixture.blobs.values_mut().for_each(|bytes| bytes[0] ^= 1);
    let registry = Registry::start(fixture, |_| None);
    let location = location(&format!("{}/org/app:v1", registry.host));
    let (_directory, store) = store();
    for blob in blobs {
        assert!(fetch(&store, &blob, location.as_ref()).is_err());
        assert!(!store.contains(blob.digest));
        // Nor does it replace what is there.
        let size = Descriptor { size: blob.size + 1, ..blob };
        assert!(fetch(&store, &size, location.as_ref()).is_err());
    }
    assert!(store.list().unwrap().is_empty());
    assert_eq!(partial_files(&store), 0);
}

#[test]
fn a_transfer_that_breaks_off_goes_on_where_it_was() {
    let fixture = Fixture::new();
    let directory = tempfile::tempdir().unwrap();
    fixture.write_layout(directory.path());
    let layer = blobs(location(&format!("{}:v1", directory.path().display())).as_ref()).pop().unwrap();
    let bytes = fixture.blobs[&layer.digest].clone();
    let attempts = AtomicUsize::new(0);
    let size = bytes.len();
    let registry = Registry::start(fixture, move |path| {
        if !path.contains("/blobs/") {
            return None;
        }
        // The first answer ends early; the second has the rest.
        Some(match attempts.fetch_add(1, Ordering::SeqCst) {
            0 => (200, vec![("content-length".to_owned(), size.to_string())], bytes[..1000].to_vec()),
            _ => (
                206,
                vec![("content-range".to_owned(), format!("bytes 1000-{}/{size}", size - 1))],
                bytes[1000..].to_vec(),
            ),
        })
    });
    let (_store_directory, store) = store();
    fetch(&store, &layer, location(&format!("{}/org/app:v1", registry.host)).as_ref()).unwrap();
    assert!(is_kept(&store, &layer).unwrap());
    assert_eq!(registry.requests().iter().filter(|path| path.contains("/blobs/")).count(), 2);
}
