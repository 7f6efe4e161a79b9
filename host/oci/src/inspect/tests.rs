//! Inspections of the image of `location/testing.rs`.

use flate2::Compression;
use flate2::write::GzEncoder;
use seed_model::{Descriptor, Digest};
use serde_json::json;
use std::io::Write;

use super::{ContentLimits, InspectOptions, Inspection, inspect};
use crate::document::media_type::{CONFIG, INDEX, MANIFEST};
use crate::location::testing::{Fixture, location, tar};

const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";

fn look(fixture: &Fixture, options: &InspectOptions) -> Result<Inspection, String> {
    let directory = tempfile::tempdir().unwrap();
    fixture.write_layout(directory.path());
    let text = directory.path().to_str().unwrap().to_owned();
    let found = inspect(location(&format!("{text}:v1")).as_ref(), options)
        .map_err(|e| e.to_string().replace(&text, "DIR"));
    found.map(|found| Inspection { place: "DIR".to_owned(), ..found })
}

#[test]
fn layers_largest_paths_and_signatures_are_found() {
    let options = InspectOptions { largest: 3, ..InspectOptions::default() };
    let found = look(&Fixture::new(), &options).unwrap();
    insta::assert_snapshot!(without_compression(found.clone()));
    let unread = look(&Fixture::new(), &InspectOptions::default()).unwrap();
    assert!(unread.images.iter().all(|image| image.contents.is_none() && image.layers.len() == 3));
    assert_eq!(unread.signatures, found.signatures);
}

/// As JSON, without what depends on the versions of the compressors: sizes are 0, digests are numbered as they come.
fn without_compression(mut found: Inspection) -> String {
    for image in &mut found.images {
        assert_eq!(image.size, image.layers.iter().map(|layer| layer.size).sum::<u64>());
        image.size = 0;
        image.layers.iter_mut().for_each(|layer| layer.size = 0);
    }
    let mut text = serde_json::to_string_pretty(&found).unwrap();
    let mut number = 1;
    while let Some(at) = text.find("sha256:") {
        let digest = text[at..at + 71].to_owned();
        text = text.replace(&digest, &format!("DIGEST-{number}"));
        number += 1;
    }
    text
}

/// An image with this one layer, and its diff ID.
fn one_layer(media_type: &str, blob: &[u8], diff_id: Digest) -> Fixture {
    let mut fixture = Fixture::default();
    let layer = fixture.blob(media_type, blob);
    image(&mut fixture, &[layer], &[diff_id]);
    fixture
}

fn image(fixture: &mut Fixture, layers: &[Descriptor], diff_ids: &[Digest]) {
    let config = json!({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": diff_ids}});
    let config = fixture.document(CONFIG, &config);
    let manifest = fixture.document(
        MANIFEST,
        &json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}),
    );
    fixture.name("v1", &manifest);
}

#[test]
fn hostile_layers_end_with_an_error() {
    let good = tar(&[("a", 10), ("b", 20)]);
    let limits = ContentLimits { entries: 100, unpacked: 1 << 20 };
    let options = InspectOptions { largest: 3, limits };
    let error = |media_type: &str, blob: &[u8], diff_id: &[u8]| {
        let fixture = one_layer(media_type, blob, Digest::of(diff_id));
        let hex = Descriptor::of("", blob).digest.hex();
        look(&fixture, &options).unwrap_err().replace(&hex, "HEX")
    };
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    insta::assert_snapshot!(error(PLAIN, &good, b"other"), @"layer sha256:HEX of DIR has the diff ID sha256:HEX, but the config says sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa");
    insta::assert_snapshot!(error(GZIP, &good, &good), @"cannot read layer sha256:HEX of DIR: invalid gzip header");
    insta::assert_snapshot!(error(ZSTD, &good, &good), @"cannot read layer sha256:HEX of DIR: Unknown frame descriptor");
    insta::assert_snapshot!(error(PLAIN, b"", b""), @"cannot read layer sha256:HEX of DIR: no tar header at byte 0: it ends in the middle");
    insta::assert_snapshot!(error(PLAIN, &good[..600], &good), @"cannot read layer sha256:HEX of DIR: unexpected end of file");
    insta::assert_snapshot!(error(GZIP, &gzip(&good)[..30], &good), @"cannot read layer sha256:HEX of DIR: incomplete deflate stream");
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    let many = tar(&many.iter().map(|n| (n.as_str(), 0)).collect::<Vec<_>>());
    insta::assert_snapshot!(error(PLAIN, &many, &many), @"cannot read layer sha256:HEX of DIR: it has more than 100 entries");
    let bomb = tar(&[("zeros", 2 << 20)]);
    insta::assert_snapshot!(error(GZIP, &gzip(&bomb), &bomb), @"cannot read layer sha256:HEX of DIR: its uncompressed size exceeds the limit");
    insta::assert_snapshot!(error(ZSTD, &zstd::encode_all(&bomb[..], 3).unwrap(), &bomb), @"cannot read layer sha256:HEX of DIR: its uncompressed size exceeds the limit");
    // A long-name record that claims 8 EiB.
    let mut record = good[..512].to_vec();
    record[156] = b'L';
    record[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    record[148..156].copy_from_slice(b"        ");
    let sum: u32 = record.iter().map(|b| u32::from(*b)).sum();
    record[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    insta::assert_snapshot!(error(PLAIN, &record, &record), @"cannot read layer sha256:HEX of DIR: no tar header at byte 512: a record is larger than 1 MiB");
}

#[test]
fn documents_that_do_not_fit_together_are_refused() {
    let error = |build: &dyn Fn(&mut Fixture)| {
        let mut fixture = Fixture::default();
        build(&mut fixture);
        let digest = fixture.root().digest.hex();
        look(&fixture, &InspectOptions::default()).unwrap_err().replace(&digest, "ROOT")
    };
    insta::assert_snapshot!(error(&|fixture| {
        let nothing = fixture.document(MANIFEST, &json!({"schemaVersion": 2}));
        fixture.name("v1", &nothing);
    }), @"invalid image manifest sha256:ROOT: it has no `config`");
    insta::assert_snapshot!(error(&|fixture| {
        let index = fixture.document(INDEX, &json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}));
        let outer = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]});
        let outer = fixture.document(INDEX, &outer);
        fixture.name("v1", &outer);
    }), @"invalid image index sha256:ROOT: it contains another index");
    let uneven = error(&|fixture| {
        let layer = fixture.blob(PLAIN, &tar(&[]));
        image(fixture, &[layer], &[]);
    });
    assert!(uneven.contains("it has 0 diff IDs for 1 layers"), "{uneven}");
}

#[test]
fn links_of_a_tar_have_no_content_and_last_entries_count() {
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_gnu();
    header.set_entry_type(::tar::EntryType::Link);
    header.set_size(0);
    builder.append_link(&mut header, "./nix/store/aaa-x/link", "nix/store/aaa-x/file").unwrap();
    let mut header = ::tar::Header::new_gnu();
    header.set_size(5);
    builder.append_data(&mut header, "./nix/store/aaa-x/file", &b"12345"[..]).unwrap();
    let layer = builder.into_inner().unwrap();
    let fixture = one_layer(PLAIN, &layer, Digest::of(&layer));
    let options = InspectOptions { largest: 10, ..InspectOptions::default() };
    let contents = look(&fixture, &options).unwrap().images[0].contents.clone().unwrap();
    assert_eq!((contents.entries, contents.file_bytes), (2, 5));
    assert_eq!(contents.store_paths[0].path, "/nix/store/aaa-x");
    assert_eq!(contents.files[0].path, "/nix/store/aaa-x/file");
}

#[test]
fn sizes_that_add_up_to_more_than_a_number_holds_are_an_error() {
    // Each is a size that a descriptor can have, and no blob is read before they are added up.
    for sizes in
        [&[u64::MAX, u64::MAX][..], &[u64::MAX, 1], &[1 << 63, 1 << 63], &[u64::MAX], &[i64::MAX as u64, 1]]
    {
        let mut fixture = Fixture::default();
        let digest = |n: usize| Digest::of(&n.to_le_bytes());
        let layers: Vec<_> =
            sizes.iter().enumerate().map(|(n, size)| Descriptor::new(PLAIN, digest(n), *size)).collect();
        let diff_ids: Vec<_> = (0..sizes.len()).map(digest).collect();
        image(&mut fixture, &layers, &diff_ids);
        let error = look(&fixture, &InspectOptions::default()).unwrap_err();
        assert!(error.contains("add up to more than"), "{error}");
    }
}
