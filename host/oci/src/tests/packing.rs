//! Packing: one run and the next, one thread and many.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use seed_model::{Codec, Digest};

use super::fixture::{Fixture, Notes, pack};
use crate::{Origin, PackError, TreeError};

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let fixture = Fixture::new();
    for codec in [Codec::None, Codec::Gzip(4), Codec::Zstd(3)] {
        let layers = fixture.layers(codec);
        let mut results = Vec::new();
        for threads in [1, 2, 8] {
            drop(fs::remove_dir_all(fixture.cache()));
            results.push(pack(&fixture.packer(threads), &layers).unwrap());
        }
        assert_eq!(results[0], results[1]);
        assert_eq!(results[0], results[2]);
    }
}

#[test]
fn a_second_run_reads_nothing() {
    let fixture = Fixture::new();
    let layers = fixture.layers(Codec::Zstd(3));
    assert_eq!(fixture.packer(2).lookup(&layers[0]).unwrap(), None);
    let first = pack(&fixture.packer(2), &layers).unwrap();
    fs::remove_dir_all(fixture.directory.join("sources")).unwrap();

    let notes = Notes::default();
    let packer = fixture.packer(2);
    assert_eq!(packer.pack(&layers, &notes).unwrap(), first);
    assert_eq!(notes.finished.into_inner().unwrap(), [(0, Origin::Cached), (1, Origin::Cached)]);
    assert_eq!(packer.lookup(&layers[0]).unwrap().as_ref(), Some(&first[0]));
}

#[test]
fn only_the_changed_path_of_a_layer_is_read_again() {
    for codec in [Codec::None, Codec::Gzip(1), Codec::Zstd(1)] {
        let fixture = Fixture::new();
        pack(&fixture.packer(2), &[fixture.layer(&["big", "odd", "single"], codec)]).unwrap();

        fs::write(fixture.source("single"), "another file\n").unwrap();
        let changed = [fixture.layer(&["big", "odd", "single"], codec)];
        let clean = Fixture::of(&fixture.directory.join("clean"));
        let expected = pack(&clean.packer(2), &changed).unwrap();
        fs::remove_dir_all(fixture.source("big")).unwrap();

        let notes = Notes::default();
        assert_eq!(fixture.packer(2).pack(&changed, &notes).unwrap(), expected);
        assert_eq!(notes.finished.into_inner().unwrap(), [(0, Origin::Packed { reused_paths: 2 })]);
        assert_eq!(notes.read.into_inner().unwrap(), changed[0].nar_size());
    }
}

#[test]
fn equal_layers_are_packed_once() {
    let fixture = Fixture::new();
    let layer = fixture.layer(&["odd"], Codec::Zstd(3));
    let notes = Notes::default();
    let packed = fixture.packer(2).pack(&[layer.clone(), layer.clone()], &notes).unwrap();
    assert_eq!(packed[0], packed[1]);
    let origins = [(0, Origin::Packed { reused_paths: 0 }), (1, Origin::Cached)];
    assert_eq!(notes.finished.into_inner().unwrap(), origins);
    assert_eq!(notes.read.into_inner().unwrap(), 2 * layer.nar_size());
}

#[test]
fn a_path_that_changed_gives_an_error_and_no_layer() {
    let fixture = Fixture::new();
    let layers = [fixture.layer(&["odd", "single"], Codec::Gzip(4))];
    fs::write(fixture.source("single"), "tampered\n").unwrap();
    let error = pack(&fixture.packer(2), &layers).unwrap_err();
    insta::assert_snapshot!(error, @"`/nix/store/00000000000000000000000000000000-single` changed: expected the NAR hash sha256:72d88b156e09c505bbe0f16991f838a9af0b54e66bf59a1f00f9e9a0fe22384d (128 bytes), found sha256:3582098029f107366525658169bbadec599dae1e4932ecfc7c423401648d5ad4 (128 bytes)");
    assert!(matches!(error, PackError::Tree(TreeError::Hash { .. })));
    assert!(error.help().unwrap().contains("--repair"));
    assert!(fixture.store().list().unwrap().is_empty());
    assert_eq!(fs::read_dir(fixture.cache().join("partial")).unwrap().count(), 0);
    assert_eq!(fixture.packer(2).lookup(&layers[0]).unwrap(), None);

    let mut tar = fixture.packer(2).open_tar(layers[0].clone());
    let failed = tar.read_to_end(&mut Vec::new()).unwrap_err();
    assert!(failed.to_string().contains("changed: expected the NAR hash"), "{failed}");
}

#[test]
fn other_modes_than_the_executable_bit_do_not_matter() {
    let fixture = Fixture::new();
    let layer = fixture.layer(&["odd"], Codec::None);
    let before = pack(&fixture.packer(1), std::slice::from_ref(&layer)).unwrap();
    fs::set_permissions(fixture.source("odd/a/b"), Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(fixture.source("odd/a"), Permissions::from_mode(0o700)).unwrap();
    fs::remove_dir_all(fixture.cache()).unwrap();
    assert_eq!(pack(&fixture.packer(1), &[layer]).unwrap(), before);
}

#[test]
fn the_reader_gives_the_tar_that_is_packed() {
    let fixture = Fixture::new();
    let layers = fixture.layers(Codec::Zstd(3));
    let packer = fixture.packer(2);
    for (layer, packed) in layers.iter().zip(pack(&packer, &layers).unwrap()) {
        let mut tar = Vec::new();
        packer.open_tar(layer.clone()).read_to_end(&mut tar).unwrap();
        assert_eq!(Digest::of(&tar), packed.diff_id);
    }
}

#[test]
fn a_reader_that_goes_away_early_is_no_trouble() {
    let fixture = Fixture::new();
    let mut tar = fixture.packer(1).open_tar(fixture.layer(&["big"], Codec::None));
    tar.read_exact(&mut [0; 512]).unwrap();
}
