//! Tests of the NAR view: Nix's own hashes, trees that change, things that have no view.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode};

use crate::nar::error::{MAX_DEPTH, NarError};
use crate::nar::reader::DirectoryEntry;
use crate::nar::sink::NarSink;
use crate::nar::{nar_digest, read_tree};
use crate::tests::Fixture;

fn error(path: &Path, root: &Path) -> String {
    nar_digest(path).unwrap_err().to_string().replace(root.to_str().unwrap(), "[root]")
}

/// The digests and sizes are those of `nix-store --dump PATH` of Nix 2.8.
#[test]
fn hashes_are_those_of_nix() {
    let fixture = Fixture::new();
    for (name, hash, size) in [
        ("odd", "c43736a9269807849a77e7cfbf529820b42034850088ba1f89aca15698d9eabc", 4216),
        ("single", "72d88b156e09c505bbe0f16991f838a9af0b54e66bf59a1f00f9e9a0fe22384d", 128),
        ("link", "00cf649f835762a590973727d7796d74b1b644b21e87a2449a38e4e0d53b80a3", 160),
    ] {
        let (digest, found) = nar_digest(&fixture.source(name)).unwrap();
        assert_eq!((digest.hex().as_str(), found), (hash, size), "{name}");
    }
}

#[test]
fn what_has_no_nar_view_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    assert_eq!(
        error(root, root),
        "cannot pack `[root]/socket`: it is a socket, not a regular file, directory or symbolic link"
    );
    rustix::fs::mknodat(CWD, root.join("pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    insta::assert_snapshot!(error(&root.join("pipe"), root), @"cannot pack `[root]/pipe`: it is a named pipe, not a regular file, directory or symbolic link");
    insta::assert_snapshot!(error(Path::new("/dev/null"), root), @"cannot pack `/dev/null`: it is a character device, not a regular file, directory or symbolic link");
    insta::assert_snapshot!(error(&root.join("missing"), root), @"cannot read `[root]/missing`");
}

#[test]
fn depth_has_a_limit() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("d/".repeat(MAX_DEPTH))).unwrap();
    let error = error(directory.path(), directory.path());
    assert!(error.ends_with("/d` is nested more than 256 directories deep"), "{error}");
    nar_digest(&directory.path().join("d")).unwrap();
}

/// A tree that changes under the reader, as another process would change it.
struct Swap<'a> {
    root: &'a Path,
    with: fn(&Path),
}

impl NarSink for Swap<'_> {
    fn directory(&mut self, path: &[u8]) -> Result<(), String> {
        if path == b"a" {
            (self.with)(&self.root.join("b"));
        }
        Ok(())
    }
    fn symlink(&mut self, _: &[u8], _: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn file(&mut self, path: &[u8], _: bool, _: u64) -> Result<(), String> {
        if path == b"c" {
            (self.with)(&self.root.join("c"));
        }
        Ok(())
    }
    fn contents(&mut self, bytes: &[u8]) -> Result<(), String> {
        assert_ne!(bytes, b"a secret", "followed a link out of the tree");
        Ok(())
    }
}

#[test]
fn a_tree_that_changes_is_an_error_and_leads_nowhere() {
    let link: fn(&Path) = |path| {
        drop(fs::remove_file(path));
        drop(fs::remove_dir_all(path));
        let outside = path.parent().unwrap().with_file_name("outside");
        symlink(outside, path).unwrap();
    };
    let pipe: fn(&Path) = |path| {
        drop(fs::remove_file(path));
        drop(fs::remove_dir_all(path));
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap();
    };
    let shorter: fn(&Path) = |path| fs::write(path, "").unwrap();
    let directory: fn(&Path) = |path| fs::create_dir(path).unwrap();
    let file: fn(&Path) = |path| fs::write(path, "content").unwrap();
    for (name, make, with) in [
        ("b", directory, link),
        ("b", file, link),
        ("b", directory, pipe),
        ("b", file, pipe),
        ("c", file, shorter),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("outside"), "a secret").unwrap();
        let root = &scratch.path().join("tree");
        fs::create_dir_all(root.join("a")).unwrap();
        make(&root.join(name));
        let error = read_tree(root, &mut Swap { root, with }).unwrap_err();
        assert!(matches!(&error, NarError::Changed { path } if *path == root.join(name)), "{error}");
    }
}

#[test]
fn the_case_hack_is_undone_on_macos_only() {
    let entry = |hack| DirectoryEntry::new(b"Name~nix~case~hack~1", FileType::RegularFile, hack);
    assert_eq!(
        (&entry(true).name[..], entry(true).name_on_disk()),
        (&b"Name"[..], &b"Name~nix~case~hack~1"[..])
    );
    assert_eq!(entry(false).name, b"Name~nix~case~hack~1");
}

#[test]
fn names_need_not_be_utf8() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(OsStr::from_bytes(b"\xff\xfe")), "x").unwrap();
    let (digest, size) = nar_digest(directory.path()).unwrap();
    insta::assert_snapshot!(format!("{} {size}", digest.hex()), @"5fb655e6a8313ddaf047136dd11f246c90b61fe7ef9c57d7a968c2d386531301 288");
}
