//! Headers, and how another implementation reads them.

use std::io::Read;

use super::*;

fn header(path: &[u8], kind: EntryType<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    Header { path, kind, mode: 0o444, uid: 0, gid: 0 }.write(&mut out).unwrap();
    out
}

/// Blocks as text: every run of zero bytes is one `·`.
fn readable(block: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(block).replace('\0', "·");
    while text.contains("··") {
        text = text.replace("··", "·");
    }
    text
}

#[test]
fn fields_are_those_of_ustar() {
    insta::assert_snapshot!(readable(&header(b"a/file", EntryType::File(5))), @"a/file·0000444·0000000·0000000·00000000005·00000000001·010261· 0·ustar·00·0000000·0000000·");
    insta::assert_snapshot!(readable(&header(b"a/directory", EntryType::Directory)), @"a/directory/·0000444·0000000·0000000·00000000000·00000000001·011425· 5·ustar·00·0000000·0000000·");
    insta::assert_snapshot!(readable(&header(b"a/link", EntryType::Symlink(b"../target"))), @"a/link·0000444·0000000·0000000·00000000000·00000000001·011716· 2../target·ustar·00·0000000·0000000·");
}

#[test]
fn long_paths_are_split_at_a_slash_where_they_fit() {
    let fits = [&[b'p'; 155][..], b"/", &[b'n'; 100]].concat();
    let block = header(&fits, EntryType::File(0));
    assert_eq!(block.len(), BLOCK);
    assert_eq!((&block[..100], &block[345..500]), (&fits[156..], &fits[..155]));

    // One more byte, no slash to split at, or the slash of a directory: PAX.
    for (path, kind) in [
        ([&[b'p'; 155][..], b"/", &[b'n'; 101]].concat(), EntryType::File(0)),
        ([&[b'p'; 156][..], b"/", &[b'n'; 100]].concat(), EntryType::File(0)),
        (vec![b'n'; 101], EntryType::File(0)),
        (vec![b'n'; 100], EntryType::Directory),
    ] {
        assert_eq!(header(&path, kind).len(), 3 * BLOCK);
    }
}

#[test]
fn pax_says_what_ustar_cannot() {
    insta::assert_snapshot!(readable(&header(&[b'n'; 101], EntryType::File(5))), @"
    ././@PaxHeader·0000000·0000000·0000000·00000000157·00000000001·011461· x·ustar·00·0000000·0000000·111 path=nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
    ·nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn0000444·0000000·0000000·00000000005·00000000001·034571· 0·ustar·00·0000000·0000000·
    ");
    insta::assert_snapshot!(readable(&header("grün".as_bytes(), EntryType::Symlink("ü".as_bytes()))), @"
    ././@PaxHeader·0000000·0000000·0000000·00000000035·00000000001·011454· x·ustar·00·0000000·0000000·14 path=grün
    15 linkpath=ü
    ·grn·0000444·0000000·0000000·00000000000·00000000001·007705· 2·ustar·00·0000000·0000000·
    ");
    insta::assert_snapshot!(readable(&header(b"\xff", EntryType::File(0))), @"
    ././@PaxHeader·0000000·0000000·0000000·00000000036·00000000001·011455· x·ustar·00·0000000·0000000·21 hdrcharset=BINARY
    9 path=�
    ·0000444·0000000·0000000·00000000000·00000000001·007174· 0·ustar·00·0000000·0000000·
    ");
    insta::assert_snapshot!(readable(&header(b"huge", EntryType::File(MAX_SIZE + 1))), @"
    ././@PaxHeader·0000000·0000000·0000000·00000000023·00000000001·011451· x·ustar·00·0000000·0000000·19 size=8589934592
    ·huge·0000444·0000000·0000000·00000000000·00000000001·010045· 0·ustar·00·0000000·0000000·
    ");
    assert_eq!(header(b"large", EntryType::File(MAX_SIZE)).len(), BLOCK);
    let mut out = Vec::new();
    let (uid, gid) = (MAX_OWNER + 1, u32::MAX);
    Header { path: b"owned", kind: EntryType::Directory, mode: 0o755, uid, gid }.write(&mut out).unwrap();
    insta::assert_snapshot!(readable(&out), @"
    ././@PaxHeader·0000000·0000000·0000000·00000000041·00000000001·011451· x·ustar·00·0000000·0000000·15 uid=2097152
    18 gid=4294967295
    ·owned/·0000755·0000000·0000000·00000000000·00000000001·010322· 5·ustar·00·0000000·0000000·
    ");
}

#[test]
fn the_length_of_a_record_counts_itself() {
    for (value, length) in [(1, 6), (4, 9), (5, 11), (93, 99), (94, 101), (992, 999), (993, 1001)] {
        let mut body = Vec::new();
        push_record(&mut body, "k", &vec![b'v'; value]);
        assert_eq!(body.len(), length, "{value}");
        assert!(body.starts_with(format!("{length} k=").as_bytes()));
    }
}

#[test]
fn another_implementation_reads_it_back() {
    for length in [1, 99, 100, 101, 154, 155, 156, 255, 256, 257, 258, 1000] {
        for path in ["n".repeat(length), "ab/".repeat(length / 3) + "x", "ü".repeat(length)] {
            let link = path.as_bytes();
            for kind in [EntryType::File(0), EntryType::Directory, EntryType::Symlink(link)] {
                let mut bytes = header(path.as_bytes(), kind);
                write_end(&mut bytes).unwrap();
                let mut archive = tar::Archive::new(&bytes[..]);
                let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
                let slash = if matches!(kind, EntryType::Directory) { "/" } else { "" };
                assert_eq!(*entry.path_bytes(), *format!("{path}{slash}").as_bytes());
                if matches!(kind, EntryType::Symlink(_)) {
                    assert_eq!(*entry.link_name_bytes().unwrap(), *link);
                }
                assert_eq!(entry.read(&mut [0]).unwrap(), 0);
            }
        }
    }
}
