//! Archives that tools would read in different ways.

use insta::assert_snapshot;
use tar::EntryType as Kind;

use super::*;
use crate::location::testing::tar_entry;

/// Opens an archive of these entries: path, kind, target.
fn open(entries: &[(&str, Kind, &str)]) -> Result<Archive, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.tar");
    let entries: Vec<_> = entries
        .iter()
        .map(|(name, kind, target)| {
            let content: &[u8] = if *kind == Kind::Regular { b"content" } else { b"" };
            tar_entry(name, *kind, target, content)
        })
        .chain([vec![0; 1024]])
        .collect();
    std::fs::write(&path, entries.concat()).unwrap();
    Archive::open(&path).map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"))
}

#[track_caller]
fn error(entries: &[(&str, Kind, &str)]) -> String {
    open(entries).unwrap_err()
}

#[test]
fn nothing_is_there_twice() {
    assert_snapshot!(error(&[("index.json", Kind::Regular, ""), ("index.json", Kind::Regular, "")]), @"FILE is not an uncompressed tar archive of an image: `index.json` is in the archive twice");
    assert_snapshot!(error(&[("index.json", Kind::Regular, ""), ("./index.json", Kind::Regular, "")]), @"FILE is not an uncompressed tar archive of an image: `index.json` is in the archive twice");
    assert_snapshot!(error(&[("a/b", Kind::Regular, ""), ("a//./b", Kind::Symlink, "c")]), @"FILE is not an uncompressed tar archive of an image: `a//./b` is in the archive twice");
    assert_snapshot!(error(&[("a", Kind::Link, "b"), ("a", Kind::Regular, "")]), @"FILE is not an uncompressed tar archive of an image: `a` is in the archive twice");
    assert_snapshot!(error(&[("a", Kind::Regular, ""), ("a/", Kind::Directory, "")]), @"FILE is not an uncompressed tar archive of an image: `a` is in the archive twice");
    assert!(
        open(&[("a/", Kind::Directory, ""), ("a/b", Kind::Regular, ""), ("./a/", Kind::Directory, "")])
            .is_ok()
    );
}

#[test]
fn nothing_is_outside_or_below_a_link() {
    assert_snapshot!(error(&[("../index.json", Kind::Regular, "")]), @"FILE is not an uncompressed tar archive of an image: `../index.json` is outside of the archive");
    assert_snapshot!(error(&[("blobs/../index.json", Kind::Regular, "")]), @"FILE is not an uncompressed tar archive of an image: `blobs/../index.json` is outside of the archive");
    assert_snapshot!(error(&[("/index.json", Kind::Regular, "")]), @"FILE is not an uncompressed tar archive of an image: `index.json` is outside of the archive");
    assert_snapshot!(error(&[("blobs", Kind::Symlink, "other"), ("blobs/sha256/x", Kind::Regular, "")]), @"FILE is not an uncompressed tar archive of an image: `blobs/sha256/x` is below a file or link");
    assert_snapshot!(error(&[("blobs/sha256/x", Kind::Regular, ""), ("blobs", Kind::Symlink, "other")]), @"FILE is not an uncompressed tar archive of an image: `blobs/sha256/x` is below a file or link");
    // Between them in their order.
    assert!(
        open(&[("a", Kind::Symlink, "b"), ("a-b", Kind::Regular, ""), ("a/c", Kind::Regular, "")]).is_err()
    );
}

#[test]
fn what_is_not_a_file_is_not_read_as_missing() {
    for (kind, target) in [(Kind::Symlink, "evil.json"), (Kind::Link, "evil.json"), (Kind::Directory, "")] {
        let archive = open(&[("evil.json", Kind::Regular, ""), ("manifest.json", kind, target)]).unwrap();
        assert!(archive.open("manifest.json").is_err(), "{kind:?}");
        assert!(archive.open("index.json").unwrap().is_none());
        assert_eq!(archive.open("evil.json").unwrap().unwrap().0, 7);
    }
}
