use std::fs;

use seed_model::Codec;

use super::fixture::{Fixture, Notes, pack};
use crate::Origin;

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    let fixture = Fixture::new();
    for codec in [Codec::None, Codec::Gzip(4), Codec::Zstd(3)] {
        let layers = fixture.layers(codec);
        let mut results = Vec::new();
        for threads in [1, 2, 8] {
            drop(fs::remove_dir_all(fixture.directory.path().join("cache")));
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
    let first = pack(&fixture.packer(2), &layers).unwrap();
    fs::remove_dir_all(fixture.directory.path().join("sources")).unwrap();
    let notes = Notes::default();
    assert_eq!(fixture.packer(2).pack(&layers, &notes).unwrap(), first);
    assert_eq!(notes.finished.into_inner().unwrap(), [(0, Origin::Cached), (1, Origin::Cached)]);
}
