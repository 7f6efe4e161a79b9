//! Golden digests. A change here is a change of every layer that anybody has published: it needs a new
//! `ENTRY_RULES` or codec id, and a line in the changelog.

use std::fmt::Write;
use std::fs;
use std::io::Read;

use seed_model::Codec;

use super::fixture::{Fixture, pack};

/// Codec, then per layer: digest, size in bytes.
fn digests(fixture: &Fixture, codec: Codec) -> String {
    let packed = pack(&fixture.packer(4), &fixture.layers(codec)).unwrap();
    let mut text = format!("{codec:?}\n");
    for layer in packed {
        writeln!(text, "{} {}", layer.descriptor.digest.hex(), layer.descriptor.size).unwrap();
        writeln!(text, "{} diff id", layer.diff_id.hex()).unwrap();
    }
    text
}

#[test]
fn none() {
    insta::assert_snapshot!(digests(&Fixture::new(), Codec::None), @"
    None
    fbeb10294da44bd5202cf3ba764b85c198b68c42ee724db58fe06bbd928551f9 10349568
    fbeb10294da44bd5202cf3ba764b85c198b68c42ee724db58fe06bbd928551f9 diff id
    26e275b345413177158cba7eb2b87a1c111d6bb7fbc36db8e65198a1a3b37563 22016
    26e275b345413177158cba7eb2b87a1c111d6bb7fbc36db8e65198a1a3b37563 diff id
    ");
}

#[test]
fn gzip() {
    insta::assert_snapshot!(digests(&Fixture::new(), Codec::Gzip(4)), @"
    Gzip(4)
    3285c541de9413f4e11093663fb93ce73a20bb24bee09adcb7492d5fbc2e94b6 5257221
    fbeb10294da44bd5202cf3ba764b85c198b68c42ee724db58fe06bbd928551f9 diff id
    d2c9ccf51de8e7af92c5e52a39675be0a746c60aa04d7cecdb8fd12769fdec84 1028
    26e275b345413177158cba7eb2b87a1c111d6bb7fbc36db8e65198a1a3b37563 diff id
    ");
}

#[test]
fn zstd() {
    insta::assert_snapshot!(digests(&Fixture::new(), Codec::Zstd(3)), @"
    Zstd(3)
    9d3f86348c532e6cd42ab9b2f8a02ec816fbd56678b2dac80fc9e86ec2e50c65 5245029
    fbeb10294da44bd5202cf3ba764b85c198b68c42ee724db58fe06bbd928551f9 diff id
    f9da5425e9242d08e43a92f07b0250824c455b17f50ffc96abbee53732d2730c 963
    26e275b345413177158cba7eb2b87a1c111d6bb7fbc36db8e65198a1a3b37563 diff id
    ");
}

/// The readable form of what the digests are of, as another implementation reads it.
#[test]
fn entries() {
    let fixture = Fixture::new();
    let mut listing = String::new();
    for layer in fixture.layers(Codec::None) {
        let tar = fixture.packer(1).open_tar(layer);
        let mut archive = tar::Archive::new(tar);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header().clone();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            writeln!(
                listing,
                "{:?} {:o} {}:{} {} {} {}{}",
                header.entry_type(),
                header.mode().unwrap(),
                header.uid().unwrap(),
                header.gid().unwrap(),
                header.mtime().unwrap(),
                content.len(),
                entry.path().unwrap().display(),
                entry.link_name().unwrap().map(|link| format!(" -> {}", link.display())).unwrap_or_default(),
            )
            .unwrap();
            assert_eq!(header.username_bytes(), Some(&b""[..]));
            assert_eq!(header.groupname_bytes(), Some(&b""[..]));
        }
        listing.push_str("---\n");
    }
    insta::assert_snapshot!(listing);
}

#[test]
fn an_archive_ends_in_exactly_two_blocks_of_zeros() {
    let fixture = Fixture::new();
    let mut tar = Vec::new();
    fixture.packer(1).open_tar(fixture.layer(&["single"], Codec::None)).read_to_end(&mut tar).unwrap();
    // Two directories, the file's header, its one block of content, the end.
    assert_eq!(tar.len(), 6 * 512);
    assert!(tar[4 * 512..].iter().all(|byte| *byte == 0));
    assert!(tar[3 * 512..].starts_with(&fs::read(fixture.source("single")).unwrap()));
}
