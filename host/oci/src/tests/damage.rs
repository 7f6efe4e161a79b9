//! Damage to the cache: found, and mended by the next run.

use std::fs;
use std::path::{Path, PathBuf};

use seed_model::{Codec, PackedLayer};

use super::fixture::{Fixture, Notes, pack};
use crate::{LayerSpec, Origin};

/// A fixture with packed layers, none of whose blobs may be lost again.
fn packed() -> (Fixture, Vec<LayerSpec>, Vec<PackedLayer>) {
    let fixture = Fixture::new();
    let layers = fixture.layers(Codec::Zstd(3));
    let packed = pack(&fixture.packer(2), &layers).unwrap();
    (fixture, layers, packed)
}

/// Flips a bit in the middle of a file.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn files(directory: PathBuf) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Packs again; checks that the answer is the same and every blob intact, and says where the layers came from.
fn repack(fixture: &Fixture, layers: &[LayerSpec], expected: &[PackedLayer]) -> Vec<Origin> {
    let notes = Notes::default();
    assert_eq!(fixture.packer(2).pack(layers, &notes).unwrap(), expected);
    for layer in expected {
        fixture.store().verify(layer.descriptor.digest).unwrap();
    }
    let mut finished = notes.finished.into_inner().unwrap();
    finished.sort_by_key(|(index, _)| *index);
    finished.into_iter().map(|(_, origin)| origin).collect()
}

#[test]
fn a_damaged_blob_is_built_anew() {
    let (fixture, layers, expected) = packed();
    flip(&fixture.store().path(expected[0].descriptor.digest));
    // Its frames are in the damaged blob, so the paths are read again.
    let origins = repack(&fixture, &layers, &expected);
    assert_eq!(origins, [Origin::Packed { reused_paths: 0 }, Origin::Cached]);
}

#[test]
fn a_lost_blob_is_built_anew() {
    let (fixture, layers, expected) = packed();
    fixture.store().remove(expected[1].descriptor.digest).unwrap();
    let origins = repack(&fixture, &layers, &expected);
    assert_eq!(origins, [Origin::Cached, Origin::Packed { reused_paths: 0 }]);
}

#[test]
fn a_blob_that_was_only_touched_is_checked_and_kept() {
    let (fixture, layers, expected) = packed();
    let path = fixture.store().path(expected[0].descriptor.digest);
    fs::write(&path, fs::read(&path).unwrap()).unwrap();
    assert_eq!(repack(&fixture, &layers, &expected), [Origin::Cached, Origin::Cached]);
}

#[test]
fn damaged_layer_records_are_made_anew_from_frames() {
    let (fixture, layers, expected) = packed();
    for record in files(fixture.cache().join("layers")) {
        flip(&record);
    }
    let origins = repack(&fixture, &layers, &expected);
    assert_eq!(origins, [Origin::Packed { reused_paths: 2 }, Origin::Packed { reused_paths: 2 }]);
    assert_eq!(repack(&fixture, &layers, &expected), [Origin::Cached, Origin::Cached]);
}

#[test]
fn damaged_frame_records_are_made_anew() {
    let (fixture, layers, expected) = packed();
    fs::remove_dir_all(fixture.cache().join("layers")).unwrap();
    for record in files(fixture.cache().join("frames")) {
        flip(&record);
    }
    let origins = repack(&fixture, &layers, &expected);
    assert_eq!(origins, [Origin::Packed { reused_paths: 0 }, Origin::Packed { reused_paths: 0 }]);
}

#[test]
fn damaged_frames_are_not_used() {
    let (fixture, layers, expected) = packed();
    fs::remove_dir_all(fixture.cache().join("layers")).unwrap();
    flip(&fixture.store().path(expected[0].descriptor.digest));
    let origins = repack(&fixture, &layers, &expected);
    assert_eq!(origins, [Origin::Packed { reused_paths: 0 }, Origin::Packed { reused_paths: 2 }]);
}

#[test]
fn records_under_another_key_are_not_used() {
    let (fixture, layers, expected) = packed();
    let records = files(fixture.cache().join("layers"));
    let (a, b) = (fs::read(&records[0]).unwrap(), fs::read(&records[1]).unwrap());
    fs::write(&records[0], b).unwrap();
    fs::write(&records[1], a).unwrap();
    let origins = repack(&fixture, &layers, &expected);
    assert_eq!(origins, [Origin::Packed { reused_paths: 2 }, Origin::Packed { reused_paths: 2 }]);
}
