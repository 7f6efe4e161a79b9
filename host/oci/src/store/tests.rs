//! Blobs that are put, damaged, abandoned.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use seed_model::Digest;

use crate::store::blob_store::BlobStore;
use crate::store::error::StoreError;

fn store() -> (tempfile::TempDir, BlobStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = BlobStore::open(&directory.path().join("cache")).unwrap();
    (directory, store)
}

#[test]
fn what_is_put_can_be_read() {
    let (_directory, store) = store();
    let digest = store.put(b"content").unwrap();
    assert_eq!(digest, Digest::of(b"content"));
    assert_eq!(store.put(b"content").unwrap(), digest);
    assert_eq!(store.document(digest, 7).unwrap(), b"content");
    assert_eq!(io::read_to_string(store.range(digest, 3, 3).unwrap()).unwrap(), "ten");
    assert_eq!(io::read_to_string(store.range(digest, 5, 99).unwrap()).unwrap(), "nt");
    assert_eq!((store.contains(digest), store.size(digest).unwrap()), (true, Some(7)));
    assert_eq!(store.list().unwrap(), [digest]);

    store.remove(digest).unwrap();
    store.remove(digest).unwrap();
    assert_eq!((store.contains(digest), store.size(digest).unwrap()), (false, None));
    assert!(matches!(store.file(digest), Err(StoreError::Missing { .. })));
}

#[test]
fn others_cannot_read_it() {
    let (_directory, store) = store();
    let digest = store.put(b"content").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&store.path(digest)), 0o600);
    assert_eq!([mode(store.root()), mode(store.blobs.path()), mode(store.partial.path())], [0o700; 3]);
}

#[test]
fn damage_is_found_and_mended() {
    let (_directory, store) = store();
    let digest = store.put(b"content").unwrap();
    store.verify(digest).unwrap();
    fs::write(store.path(digest), "c0ntent").unwrap();
    let found = Digest::of(b"c0ntent");
    assert!(matches!(store.verify(digest), Err(StoreError::Corrupt { found: is, .. }) if is == found));
    assert!(matches!(store.document(digest, 99), Err(StoreError::Corrupt { .. })));
    store.put(b"content").unwrap();
    store.verify(digest).unwrap();
}

#[test]
fn large_documents_are_refused() {
    let (_directory, store) = store();
    let digest = store.put(b"content").unwrap();
    let error = store.document(digest, 6).unwrap_err();
    insta::assert_snapshot!(error, @"blob sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73 has 7 bytes, more than the limit of 6 for this kind of document");
}

#[test]
fn an_unfinished_blob_leaves_nothing() {
    let (_directory, store) = store();
    let mut writer = store.writer().unwrap();
    writer.write_all(b"content").unwrap();
    assert!(writer.path().exists());
    drop(writer);
    assert_eq!(fs::read_dir(store.partial.path()).unwrap().count(), 0);
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn abandoned_files_are_removed_and_others_kept() {
    let (_directory, store) = store();
    fs::write(store.partial.path().join("abandoned"), "half a bl").unwrap();
    let mut writer = store.writer().unwrap();
    let again = BlobStore::open(store.root()).unwrap();
    assert!(!store.partial.path().join("abandoned").exists());
    writer.write_all(b"content").unwrap();
    let (digest, size) = writer.finish().unwrap();
    assert_eq!((again.document(digest, 99).unwrap(), size), (b"content".to_vec(), 7));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let error = BlobStore::open(&directory.path().join("file/cache")).unwrap_err();
    let text = error.to_string().replace(directory.path().to_str().unwrap(), "[dir]");
    insta::assert_snapshot!(text, @"cannot create `[dir]/file/cache`");
}
