//! Layers: tar, compressed or not, and the store paths in them.

use seed_model::{Descriptor, Digest, Platform, StorePath};
use seed_oci::document::media_type::{CONFIG, MANIFEST};
use seed_oci::inspect::{InspectOptions, inspect};
use seed_oci::location::ContentLimits;
use seed_oci::restore::BuildSeed;
use serde_json::{Value, json};

use crate::memory::Memory;

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
const BLOCK: usize = 512;

/// Bounds that make every input a short one.
const LIMITS: ContentLimits = ContentLimits { entries: 1000, unpacked: 16 << 20 };

/// A tar, as it is and with the checksums of its headers made right.
pub(crate) fn tar(bytes: &[u8]) {
    read(TAR, bytes);
    read(TAR, &with_checksums(bytes));
}

/// A gzip layer.
pub(crate) fn gzip(bytes: &[u8]) {
    read(&format!("{TAR}+gzip"), bytes);
}

/// A zstd layer.
pub(crate) fn zstd(bytes: &[u8]) {
    read(&format!("{TAR}+zstd"), bytes);
}

/// Looks into an image of this layer.
fn read(media_type: &str, layer: &[u8]) {
    let image = image(&json!({}), &[(media_type, layer)]);
    let _ = inspect(&image, &InspectOptions { largest: 5, limits: LIMITS });
}

/// A layer of a build seed, whose store paths become NARs.
pub(crate) fn nar(bytes: &[u8]) {
    let layer = with_checksums(bytes);
    let listing = listing();
    let image = image(&json!({"io.github.seed-oci.variant": "build"}), &[(TAR, &layer), (TAR, &listing)]);
    let platform = Platform::of_system("x86_64-linux").unwrap();
    let root = seed_oci::location::Location::resolve(&image).unwrap().descriptor;
    let seed = BuildSeed::open(&image, &root, &platform).expect("the listing is good");
    let wanted = StorePath {
        store_path: "/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-tool".to_owned(),
        nar_hash: Digest::of(b""),
        nar_size: 1 << 20,
        references: Vec::new(),
    };
    let directory = tempfile::tempdir().unwrap();
    seed.restore(&image, 0, &[&wanted], directory.path()).expect_err("no NAR has this hash");
}

/// An image of these layers. Their diff IDs are right only where they are not compressed.
fn image(annotations: &Value, layers: &[(&str, &[u8])]) -> Memory {
    let descriptors: Vec<_> =
        layers.iter().map(|(media_type, bytes)| Descriptor::of(media_type, bytes)).collect();
    let diff_ids: Vec<_> = descriptors.iter().map(|layer| layer.digest).collect();
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = config.to_string();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": Descriptor::of(CONFIG, config.as_bytes()),
        "layers": descriptors, "annotations": annotations,
    });
    let mut image = Memory::of(MANIFEST, manifest.to_string().as_bytes());
    image.add(config.as_bytes());
    for (_, bytes) in layers {
        image.add(bytes);
    }
    image
}

/// The tar with the two files that say what a build seed holds.
fn listing() -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in [("nix/seed/layers", "0\n\n"), ("nix/seed/registration", "")] {
        let mut header = [0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = b'0';
        tar.extend_from_slice(&header);
        tar.extend_from_slice(content.as_bytes());
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    with_checksums(&tar)
}

/// The tar with a right checksum in each of its blocks that may be a header: mutations seldom keep it.
fn with_checksums(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    for block in tar.chunks_exact_mut(BLOCK) {
        if block.iter().any(|byte| *byte != 0) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    tar
}
