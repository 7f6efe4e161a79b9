//! Build seeds of the test itself, whole and hostile.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use seed_model::{Digest, Platform, StorePath};
use serde_json::json;

use super::{BuildSeed, RestoreError};
use crate::document::media_type::{CONFIG, MANIFEST};
use crate::location::testing::{Fixture, location};
use crate::nar_digest;

const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
const PATH: &str = "/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-tool";

/// What stands in the layer with the store path: names below it, and what they are.
#[derive(Clone, Copy)]
enum Content {
    Directory,
    File(&'static str),
    Program(&'static str),
    Link(&'static str),
    Device,
}

const TOOL: [(&str, Content); 6] = [
    ("", Content::Directory),
    ("/bin", Content::Directory),
    ("/bin/tool", Content::Program("#!/bin/sh\n")),
    ("/bin-of-tool", Content::Link("bin")),
    ("/empty", Content::File("")),
    ("/share", Content::File("12345678")),
];

/// Puts one entry into a tar.
fn append(tar: &mut tar::Builder<Vec<u8>>, path: &str, content: Content) {
    let mut header = tar::Header::new_ustar();
    let (kind, mode, bytes) = match content {
        Content::Directory => (tar::EntryType::Directory, 0o555, ""),
        Content::File(bytes) => (tar::EntryType::Regular, 0o444, bytes),
        Content::Program(bytes) => (tar::EntryType::Regular, 0o555, bytes),
        Content::Link(_) => (tar::EntryType::Symlink, 0o777, ""),
        Content::Device => (tar::EntryType::Char, 0o644, ""),
    };
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    let path = path.trim_start_matches('/');
    if let Content::Link(target) = content {
        tar.append_link(&mut header, path, target).unwrap();
    } else {
        tar.append_data(&mut header, path, bytes.as_bytes()).unwrap();
    }
}

fn tar(entries: impl IntoIterator<Item = (String, Content)>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    entries.into_iter().for_each(|(path, content)| append(&mut builder, &path, content));
    builder.into_inner().unwrap()
}

/// The tree of [`TOOL`] on disk, and what Nix knows of it.
fn tool(directory: &Path) -> StorePath {
    let root = directory.join("tool");
    for (name, content) in TOOL {
        let path = directory.join(format!("tool{name}"));
        match content {
            Content::Directory => fs::create_dir(path).unwrap(),
            Content::Link(target) => symlink(target, path).unwrap(),
            Content::File(bytes) | Content::Program(bytes) => {
                fs::write(&path, bytes).unwrap();
                let mode = if matches!(content, Content::Program(_)) { 0o555 } else { 0o444 };
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
            }
            Content::Device => unreachable!("not in a tool"),
        }
    }
    let (nar_hash, nar_size) = nar_digest(&root).unwrap();
    StorePath { store_path: PATH.to_owned(), nar_hash, nar_size, references: Vec::new() }
}

/// A build seed whose lower layer holds `entries` below the store path, and whose list of layers is `layers`.
fn build_seed(annotations: &serde_json::Value, entries: &[(&str, Content)], layers: &'static str) -> Fixture {
    let mut fixture = Fixture::default();
    let lower = entries.iter().map(|(name, content)| (format!("{PATH}{name}"), *content));
    let lower = tar([("nix/store".to_owned(), Content::Directory)].into_iter().chain(lower));
    let upper = tar([
        ("nix/seed/layers".to_owned(), Content::File(layers)),
        ("nix/seed/registration".to_owned(), Content::File("registration")),
    ]);
    let diff_ids = [Digest::of(&lower), Digest::of(&upper)];
    let blobs = [fixture.blob(PLAIN, &lower), fixture.blob(PLAIN, &upper)];
    let config = fixture.document(
        CONFIG,
        &json!({"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}),
    );
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": blobs, "annotations": annotations
    });
    let manifest = fixture.document(MANIFEST, &manifest);
    fixture.name("v1", &manifest);
    fixture
}

fn annotated() -> serde_json::Value {
    json!({"io.github.seed-oci.variant": "build"})
}

/// Opens a fixture and restores the tool from it: the bytes of its NAR.
fn restore(fixture: &Fixture, system: &str) -> Result<Vec<u8>, String> {
    let directory = tempfile::tempdir().unwrap();
    let tool = tool(directory.path());
    let layout = directory.path().join("layout");
    fs::create_dir(&layout).unwrap();
    fixture.write_layout(&layout);
    let place = layout.to_str().unwrap().to_owned();
    let location = location(&format!("{place}:v1"));
    let run = || -> Result<Vec<u8>, RestoreError> {
        let root = location.resolve()?.descriptor;
        let seed = BuildSeed::open(location.as_ref(), &root, &Platform::of_system(system).unwrap())?;
        assert_eq!((seed.registration.as_str(), &seed.paths[..]), ("registration", &[vec![0], vec![]][..]));
        seed.restore(location.as_ref(), 0, &[&tool], directory.path())?;
        Ok(fs::read(directory.path().join(PATH.rsplit('/').next().unwrap())).unwrap())
    };
    run().map_err(|error| {
        let text = error.to_string().replace(&place, "DIR");
        let digest = |text: &str| text.find("sha256:").map(|at| text[at..at + 71].to_owned());
        std::iter::successors(Some(text), |text| digest(text).map(|digest| text.replace(&digest, "DIGEST")))
            .last()
            .unwrap()
    })
}

#[test]
fn a_store_path_becomes_its_nar_again() {
    let nar = restore(&build_seed(&annotated(), &TOOL, "0\n\n"), "x86_64-linux").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let StorePath { nar_hash, nar_size, .. } = tool(directory.path());
    assert_eq!((Digest::of(&nar), nar.len() as u64), (nar_hash, nar_size));
}

#[test]
fn what_is_no_build_seed_is_refused_before_a_layer_is_read() {
    let error = restore(&build_seed(&json!({}), &TOOL, "0\n\n"), "x86_64-linux").unwrap_err();
    insta::assert_snapshot!(error, @"DIGEST in DIR is not a build seed");
    let error = restore(&build_seed(&annotated(), &TOOL, "0\n\n"), "aarch64-linux").unwrap_err();
    insta::assert_snapshot!(error, @"DIR has no image for linux/arm64; available: linux/amd64");
}

#[test]
fn lists_that_lie_are_refused() {
    let error = |layers| restore(&build_seed(&annotated(), &TOOL, layers), "x86_64-linux").unwrap_err();
    insta::assert_snapshot!(error("0\n"), @"invalid `/nix/seed/layers` in DIR: it lists 1 layers of 2");
    insta::assert_snapshot!(error("0 x\n\n"), @"invalid `/nix/seed/layers` in DIR: it contains values that are not numbers");
}

/// The error for a layer in which one entry is another one.
#[track_caller]
fn changed(index: usize, entry: (&'static str, Content)) -> String {
    let mut entries = TOOL;
    entries[index] = entry;
    restore(&build_seed(&annotated(), &entries, "0\n\n"), "x86_64-linux").unwrap_err()
}

#[test]
fn what_is_not_as_it_is_registered_is_refused() {
    insta::assert_snapshot!(changed(5, ("/share", Content::File("12345679"))), @"cannot read layer DIGEST of DIR: `/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-tool` has the NAR hash DIGEST (1072 bytes), but its registration says DIGEST (1072 bytes)");
    insta::assert_snapshot!(changed(5, ("/share", Content::File("more than there should be"))), @"cannot read layer DIGEST of DIR: a store path is larger than its registration says");
    insta::assert_snapshot!(changed(2, ("/bin/tool", Content::File("#!/bin/sh\n"))), @"cannot read layer DIGEST of DIR: `/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-tool` has the NAR hash DIGEST (1040 bytes), but its registration says DIGEST (1072 bytes)");
    insta::assert_snapshot!(changed(5, ("/share", Content::Device)), @"cannot read layer DIGEST of DIR: `/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-tool/share` has a file type that store paths cannot contain");
    insta::assert_snapshot!(changed(3, ("/a", Content::Link("bin"))), @"cannot read layer DIGEST of DIR: `a` is not in NAR order: directories first, and names in byte order");
    insta::assert_snapshot!(changed(2, ("/missing/tool", Content::File(""))), @"cannot read layer DIGEST of DIR: `missing/tool` is not in NAR order: directories first, and names in byte order");
    let nothing = restore(&build_seed(&annotated(), &[], "0\n\n"), "x86_64-linux").unwrap_err();
    insta::assert_snapshot!(nothing, @"cannot read layer DIGEST of DIR: `/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-tool` is missing from the layer");
}
