//! Layers that would write outside of the image's root.

use insta::assert_snapshot;
use serde_json::json;
use tar::EntryType as Kind;

use crate::document::media_type::{CONFIG, MANIFEST};
use crate::location::ContentLimits;
use crate::location::testing::{Fixture, location, tar_entry};
use crate::verify::verify_image;

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

/// An entry: `path` for a file, `path/` for a directory, `path -> target` for a link, `path = target` for a hard link.
fn entry(text: &str) -> Vec<u8> {
    if let Some((path, target)) = text.split_once(" -> ") {
        return tar_entry(path, Kind::Symlink, target, b"");
    }
    if let Some((path, target)) = text.split_once(" = ") {
        return tar_entry(path, Kind::Link, target, b"");
    }
    let kind = if text.ends_with('/') { Kind::Directory } else { Kind::Regular };
    tar_entry(text, kind, "", b"")
}

/// Verifies an image of these layers.
fn verify(layers: &[&[&str]]) -> Result<(), String> {
    let mut fixture = Fixture::default();
    let layers: Vec<Vec<u8>> = layers
        .iter()
        .map(|entries| entries.iter().flat_map(|one| entry(one)).chain([0; 1024]).collect())
        .collect();
    let blobs: Vec<_> = layers.iter().map(|layer| fixture.blob(TAR, layer)).collect();
    let diff_ids: Vec<_> = blobs.iter().map(|blob| blob.digest).collect();
    let config = json!({"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let config = fixture.document(CONFIG, &config);
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": blobs});
    let manifest = fixture.document(MANIFEST, &manifest);
    fixture.name("v1", &manifest);
    let directory = tempfile::tempdir().unwrap();
    fixture.write_layout(directory.path());
    let location = location(directory.path().to_str().unwrap());
    match verify_image(location.as_ref(), &ContentLimits::default()) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            Err(text.rsplit_once(": ").map_or(text.clone(), |(_, reason)| reason.to_owned()))
        }
    }
}

#[track_caller]
fn error(layers: &[&[&str]]) -> String {
    verify(layers).unwrap_err()
}

#[test]
fn paths_stay_in_the_root() {
    assert_snapshot!(error(&[&["../etc/passwd"]]), @"`/../etc/passwd` is outside of the image's root");
    assert_snapshot!(error(&[&["a/../../etc/passwd"]]), @"`/a/../../etc/passwd` is outside of the image's root");
    assert_snapshot!(error(&[&["a/.."]]), @"`/a/..` is outside of the image's root");
    assert_snapshot!(error(&[&["/etc/passwd"]]), @"`/etc/passwd` is outside of the image's root");
    assert_snapshot!(error(&[&["//etc/"]]), @"`/etc` is outside of the image's root");
    assert_snapshot!(error(&[&["a = /etc/passwd"]]), @"`/a` is outside of the image's root");
    assert_snapshot!(error(&[&["a = ../etc/passwd"]]), @"`/a` is outside of the image's root");
    assert_snapshot!(error(&[&["./ -> /etc"]]), @"`/` is outside of the image's root");
    assert_snapshot!(error(&[&["a/.wh..."]]), @"`/a/.wh...` deletes a directory that it is in");
    assert_snapshot!(error(&[&["a/.wh.."]]), @"`/a/.wh..` deletes a directory that it is in");
    for good in [&["./", "./a/", "a//b", "a/./c"][..], &["a..b", "..a/b"], &["a", "b = a", "c = ./a"]] {
        assert_eq!(verify(&[good]), Ok(()), "{good:?}");
    }
}

#[test]
fn nothing_is_below_a_link_of_its_own_layer() {
    assert_snapshot!(error(&[&["a -> /etc", "a/passwd"]]), @"`/a/passwd` is in the place of a link of its own layer, or below one");
    assert_snapshot!(error(&[&["a -> b", "a/b/c/d"]]), @"`/a/b/c/d` is in the place of a link of its own layer, or below one");
    assert_snapshot!(error(&[&["x/a -> ../../etc", "x/file", "x/a/passwd"]]), @"`/x/a/passwd` is in the place of a link of its own layer, or below one");
    assert_snapshot!(error(&[&["a/x", "a -> /etc", "a/passwd"]]), @"`/a/passwd` is in the place of a link of its own layer, or below one");
    // What a tool unpacks over a link may land where that points.
    assert_snapshot!(error(&[&["a -> /etc/passwd", "a"]]), @"`/a` is in the place of a link of its own layer, or below one");
    assert_snapshot!(error(&[&["a -> /etc", "a/", "a/passwd"]]), @"`/a` is in the place of a link of its own layer, or below one");
    assert_snapshot!(error(&[&["a -> /etc", "a -> b"]]), @"`/a` is in the place of a link of its own layer, or below one");
    for good in [
        &["bin/sh -> /nix/store/x", "bin/ls -> ../../../nix"][..],
        &["a", "a -> /etc"],
        &["lib -> usr/lib", "lib64 -> usr/lib", "usr/lib/x"],
    ] {
        assert_eq!(verify(&[good]), Ok(()), "{good:?}");
    }
}

#[test]
fn nothing_goes_out_through_a_link_of_a_lower_layer() {
    assert_snapshot!(error(&[&["a -> /etc"], &["a/passwd"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["a -> /etc"], &[], &["b", "a/b/"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["x/a -> ../../etc"], &["x/a/passwd"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["b -> /etc", "a -> b"], &["a/passwd"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["b -> /etc"], &["a = b"], &["a/passwd"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["a -> a"], &["a/b"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["a -> b", "b/"], &["b/l -> /etc", "a/l/passwd"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["a -> b", "b/"], &["b/l -> /etc/passwd", "a/l"]]), @"`/a` is in the place of a link of its own layer, or below one");
    assert_snapshot!(error(&[&["a -> b", "b/"], &["b/l -> /etc", "a/l/"]]), @"`/a/l` is in the place of a link of its own layer, or below one");
    assert_snapshot!(error(&[&["a -> /etc"], &["a/.wh.passwd"]]), @"a link on its path leads there");
    // Deleted only for the layers below.
    assert_snapshot!(error(&[&["d/"], &["d/a -> /etc", "d/.wh..wh..opq"], &["d/a/passwd"]]), @"a link on its path leads there");
    assert_snapshot!(error(&[&["d/"], &["d/a -> /etc", "d/.wh.a"], &["d/a/passwd"]]), @"`/d/a` is in the place of a link of its own layer, or below one");
    for good in [
        // A link inside of the root, and what replaces a link.
        &[&["lib -> usr/lib", "usr/lib/"][..], &["lib/x"]][..],
        &[&["x/lib -> ../usr/lib"], &["x/lib/y"]],
        &[&["a -> /etc"], &["a/", "a/passwd"]],
        &[&["a -> /etc"], &["a"]],
        &[&["a -> /etc"], &[".wh.a"], &["a/passwd"]],
        &[&["a -> /etc"], &[".wh.a", "a/", "a/passwd"]],
        &[&["d/a -> /etc"], &["d/.wh..wh..opq", "d/a/passwd"]],
        &[&["d/a -> /etc"], &[".wh.d"], &["d/a/passwd"]],
        &[&["a = b"], &["a/x"]],
    ] {
        assert_eq!(verify(good), Ok(()), "{good:?}");
    }
}
