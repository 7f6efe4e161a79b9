//! Layers that others packed: the same entries in other words pass, and everything else is refused.

use std::io::Read;

use seed_model::{Codec, Descriptor, Digest, EntryKind, PackedLayer};

use super::fixture::{Fixture, entry};
use crate::{CompareError, LayerSpec, compare_layer};

const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layer of a small directory and some entries.
fn spec(fixture: &Fixture) -> LayerSpec {
    let mut spec = fixture.layer(&["odd", "link", "single"], Codec::None);
    spec.entries = vec![
        entry("/tmp", EntryKind::Directory, 0o1777),
        entry("/etc/passwd", EntryKind::File(b"root:x:0:0::/:/bin/sh\n".to_vec()), 0o644),
        entry("/bin", EntryKind::Symlink("usr/bin".to_owned()), 0o777),
    ];
    spec
}

/// One entry of a tar, as the crate `tar` reads and writes it.
#[derive(Clone)]
struct Piece {
    header: tar::Header,
    path: Vec<u8>,
    target: Option<Vec<u8>>,
    content: Vec<u8>,
    /// PAX records of its own.
    records: Vec<(String, Vec<u8>)>,
}

/// The tar of the layer, taken apart.
fn pieces(fixture: &Fixture) -> Vec<Piece> {
    let mut bytes = Vec::new();
    fixture.packer(1).open_tar(spec(fixture)).read_to_end(&mut bytes).unwrap();
    let mut archive = tar::Archive::new(&bytes[..]);
    let piece = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let target = entry.link_name_bytes().map(|target| target.to_vec());
        Piece {
            path: entry.path_bytes().to_vec(),
            target: target.filter(|_| entry.header().entry_type().is_symlink()),
            header: entry.header().clone(),
            content,
            records: Vec::new(),
        }
    };
    archive.entries().unwrap().map(piece).collect()
}

/// How headers are written.
#[derive(Clone, Copy)]
enum Dialect {
    /// GNU's: long names in entries of their own.
    Gnu,
    /// ustar, with every path in a PAX record.
    Pax,
}

fn write(pieces: &[Piece], dialect: Dialect) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for piece in pieces {
        let mut header = match dialect {
            Dialect::Gnu => tar::Header::new_gnu(),
            Dialect::Pax => tar::Header::new_ustar(),
        };
        let old = &piece.header;
        header.set_entry_type(old.entry_type());
        header.set_mode(old.mode().unwrap());
        header.set_uid(old.uid().unwrap());
        header.set_gid(old.gid().unwrap());
        header.set_mtime(old.mtime().unwrap());
        header.set_size(piece.content.len() as u64);
        let mut records = piece.records.clone();
        let long = |bytes: &[u8], limit: usize| bytes.len() > limit;
        match dialect {
            Dialect::Gnu => {
                for (kind, text) in [(b'L', Some(&piece.path)), (b'K', piece.target.as_ref())] {
                    let Some(text) = text.filter(|text| long(text, 100)) else { continue };
                    let mut header = tar::Header::new_gnu();
                    header.set_entry_type(tar::EntryType::new(kind));
                    header.set_size(text.len() as u64 + 1);
                    header.set_cksum();
                    builder.append(&header, &[&text[..], &[0]].concat()[..]).unwrap();
                }
            }
            Dialect::Pax => {
                records.push(("path".to_owned(), piece.path.clone()));
                records.extend(piece.target.iter().map(|target| ("linkpath".to_owned(), target.clone())));
            }
        }
        if !records.is_empty() {
            let records = records.iter().map(|(key, value)| (key.as_str(), &value[..]));
            builder.append_pax_extensions(records).unwrap();
        }
        let put = |field: &mut [u8], text: &[u8]| {
            let length = text.len().min(field.len());
            field[..length].copy_from_slice(&text[..length]);
        };
        put(&mut header.as_mut_bytes()[..100], &piece.path);
        if let Some(target) = &piece.target {
            put(&mut header.as_mut_bytes()[157..257], target);
        }
        // What a test has put into other fields stays.
        if piece.header.as_bytes()[265..345].iter().any(|byte| !matches!(byte, 0 | b'0')) {
            header.as_mut_bytes()[265..345].copy_from_slice(&piece.header.as_bytes()[265..345]);
        }
        header.set_cksum();
        builder.append(&header, &piece.content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn compare(fixture: &Fixture, media_type: &str, blob: &[u8], diff_id: Digest) -> Result<(), CompareError> {
    let store = fixture.store();
    store.put(blob).unwrap();
    let layer = PackedLayer { descriptor: Descriptor::of(media_type, blob), diff_id };
    compare_layer(&store, &layer, spec(fixture))
}

fn compare_tar(fixture: &Fixture, tar: &[u8]) -> Result<(), CompareError> {
    compare(fixture, TAR, tar, Digest::of(tar))
}

#[test]
fn the_same_entries_in_other_words_pass() {
    let fixture = Fixture::new();
    let pieces = pieces(&fixture);
    for dialect in [Dialect::Gnu, Dialect::Pax] {
        let tar = write(&pieces, dialect);
        compare_tar(&fixture, &tar).unwrap();
        let more = [&tar[..], &[0; 9 << 10]].concat();
        compare_tar(&fixture, &more).unwrap();
        let zstd = zstd::encode_all(&tar[..], 1).unwrap();
        compare(&fixture, &format!("{TAR}+zstd"), &zstd, Digest::of(&tar)).unwrap();
    }
}

/// A change of one entry or of all.
type Change = fn(&mut Vec<Piece>);

#[test]
fn every_other_entry_is_refused() {
    fn named<'a>(pieces: &'a mut [Piece], path: &str) -> &'a mut Piece {
        pieces.iter_mut().find(|piece| piece.path == path.as_bytes()).unwrap()
    }
    let cases: [(&str, Change); 25] = [
        ("other content", |pieces| named(pieces, "etc/passwd").content[0] = b'R'),
        ("longer content", |pieces| named(pieces, "etc/passwd").content.push(b'\n')),
        ("a mode", |pieces| named(pieces, "etc/passwd").header.set_mode(0o4644)),
        ("a mode of a directory", |pieces| named(pieces, "tmp/").header.set_mode(0o777)),
        ("an owner", |pieces| named(pieces, "etc/passwd").header.set_uid(1000)),
        ("a group", |pieces| named(pieces, "etc/passwd").header.set_gid(1000)),
        ("a time", |pieces| named(pieces, "etc/passwd").header.set_mtime(2)),
        ("a target", |pieces| named(pieces, "bin").target = Some(b"usr/sbin".to_vec())),
        ("a path", |pieces| named(pieces, "etc/passwd").path = b"etc/shadow".to_vec()),
        ("a hard link", |pieces| {
            let piece = named(pieces, "bin");
            piece.header.set_entry_type(tar::EntryType::Link);
        }),
        ("a device", |pieces| {
            let piece = named(pieces, "etc/passwd");
            piece.header.set_entry_type(tar::EntryType::Char);
            piece.content.clear();
        }),
        ("a file instead of a link", |pieces| {
            let piece = named(pieces, "bin");
            piece.header.set_entry_type(tar::EntryType::Regular);
        }),
        ("an entry less", |pieces| drop(pieces.pop())),
        ("an entry more", |pieces| {
            let mut more = named(pieces, "etc/passwd").clone();
            more.path = b"etc/shadow".to_vec();
            pieces.push(more);
        }),
        ("an entry twice", |pieces| {
            let again = named(pieces, "etc/passwd").clone();
            pieces.push(again);
        }),
        ("a whiteout", |pieces| {
            let mut more = named(pieces, "etc/passwd").clone();
            more.path = b"etc/.wh.passwd".to_vec();
            pieces.push(more);
        }),
        ("another order", |pieces| {
            let last = pieces.len() - 1;
            pieces.swap(last, last - 1);
        }),
        ("an extended attribute", |pieces| {
            let record = ("SCHILY.xattr.security.capability".to_owned(), b"\x01".to_vec());
            named(pieces, "etc/passwd").records.push(record);
        }),
        ("an owner in a record", |pieces| {
            named(pieces, "etc/passwd").records.push(("uid".to_owned(), b"7".to_vec()));
        }),
        ("a fraction of a second", |pieces| {
            named(pieces, "etc/passwd").records.push(("mtime".to_owned(), b"1.5".to_vec()));
        }),
        ("two paths", |pieces| {
            named(pieces, "etc/passwd").records.push(("path".to_owned(), b"etc/shadow".to_vec()));
        }),
        ("a name of an owner", |pieces| {
            named(pieces, "etc/passwd").header.as_mut_bytes()[265..270].copy_from_slice(b"nixer");
        }),
        ("a path that leads out", |pieces| named(pieces, "etc/passwd").path = b"../etc/passwd".to_vec()),
        ("an absolute path", |pieces| named(pieces, "etc/passwd").path = b"/etc/passwd".to_vec()),
        ("a file that ends with a slash", |pieces| {
            named(pieces, "etc/passwd").path = b"etc/passwd/".to_vec();
        }),
    ];
    let fixture = Fixture::new();
    let mut errors = Vec::new();
    for (name, change) in cases {
        let mut changed = pieces(&fixture);
        change(&mut changed);
        let error = compare_tar(&fixture, &write(&changed, Dialect::Pax)).expect_err(name);
        errors.push(format!("{name}: {error}"));
    }
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn what_is_around_the_entries_is_checked() {
    let fixture = Fixture::new();
    let tar = write(&pieces(&fixture), Dialect::Gnu);
    let behind = [&tar[..], &write(&pieces(&fixture)[..1], Dialect::Gnu)].concat();
    let zeros = [&tar[..], &vec![0; 2 << 20]].concat();
    let mut cut = tar.clone();
    cut.truncate(tar.len() / 2);
    let gzip = crate::location::testing::gzip(&tar);
    let damaged = &gzip[..gzip.len() - 4];
    let bomb = zstd::encode_all(&[&tar[..], &vec![0; 256 << 20]].concat()[..], 1).unwrap();
    let digest = Digest::of(&tar);
    let errors = [
        compare(&fixture, TAR, &tar, Digest::of(b"another")).unwrap_err(),
        compare_tar(&fixture, &behind).unwrap_err(),
        compare_tar(&fixture, &zeros).unwrap_err(),
        compare_tar(&fixture, &cut).unwrap_err(),
        compare_tar(&fixture, b"").unwrap_err(),
        compare(&fixture, &format!("{TAR}+gzip"), damaged, digest).unwrap_err(),
        compare(&fixture, &format!("{TAR}+gzip"), &tar, digest).unwrap_err(),
        compare(&fixture, &format!("{TAR}+zstd"), &bomb, digest).unwrap_err(),
    ];
    let errors = errors.map(|error| error.to_string().replace(&digest.hex(), "TAR"));
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn a_path_that_cannot_be_read_is_no_fault_of_the_packer() {
    let fixture = Fixture::new();
    let (tar, spec) = (write(&pieces(&fixture), Dialect::Gnu), spec(&fixture));
    std::fs::remove_dir_all(fixture.source("odd")).unwrap();
    let store = fixture.store();
    store.put(&tar).unwrap();
    let layer = PackedLayer { descriptor: Descriptor::of(TAR, &tar), diff_id: Digest::of(&tar) };
    let error = compare_layer(&store, &layer, spec).unwrap_err();
    assert!(matches!(error, CompareError::Planned(_)), "{error}");
}
