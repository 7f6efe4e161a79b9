//! Tars by hand, as other programs write them, and what is none.

use std::io::Cursor;

use crate::location::entries::*;
use crate::tar::{EntryType as Kind, Header};

impl Skip for Cursor<Vec<u8>> {}

const LIMIT: u64 = 1000;

/// The block of a header with this type, and a correct checksum.
fn block(name: &[u8], flag: u8, change: impl FnOnce(&mut [u8; BLOCK])) -> Vec<u8> {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000644");
    block[156] = flag;
    block[257..263].copy_from_slice(b"ustar\0");
    change(&mut block);
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.to_vec()
}

/// An entry with its content.
fn entry(name: &[u8], flag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = block(name, flag, |block| {
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    });
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// A PAX header with these records.
fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let length = (rest..rest + 9).find(|length| *length == rest + length.to_string().len()).unwrap();
        body.extend_from_slice(format!("{length} {key}=").as_bytes());
        body.extend_from_slice(value);
        body.push(b'\n');
    }
    entry(b"pax", b'x', &body)
}

fn read(archive: Vec<u8>, limit: u64) -> Result<Vec<Entry>, String> {
    let mut entries = Entries::new(Cursor::new(archive), limit);
    let mut found = Vec::new();
    while let Some(entry) = entries.next().map_err(|error| error.to_string())? {
        found.push(entry);
    }
    Ok(found)
}

/// Kind, path, target and size of each entry.
fn shown(parts: &[Vec<u8>]) -> String {
    let end = vec![0; 2 * BLOCK];
    let entries = match read([parts, &[end]].concat().concat(), LIMIT) {
        Ok(entries) => entries,
        Err(error) => return error,
    };
    let show = |entry: &Entry| {
        let target = String::from_utf8_lossy(&entry.target);
        format!("{:?} {} -> {target:?}, {} bytes", entry.kind, entry.path, entry.size)
    };
    entries.iter().map(show).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_pax_says_of_the_next_entry_wins() {
    let file = entry(b"file", b'0', b"12345");
    insta::assert_snapshot!(shown(&[pax(&[("path", b"dir/other")]), file.clone(), file.clone()]), @r#"
    File dir/other -> "", 5 bytes
    File file -> "", 5 bytes
    "#);
    insta::assert_snapshot!(shown(&[pax(&[("comment", b"x"), ("path", b"a=b c"), ("mtime", b"1.5")]), file.clone()]), @r#"File a=b c -> "", 5 bytes"#);
    // The size of what follows, whatever the header says.
    let lying = [block(b"file", b'0', |_| {}), entry(b"not a header", b'0', b"")].concat();
    insta::assert_snapshot!(shown(&[pax(&[("size", b"512")]), lying.clone()]), @r#"File file -> "", 512 bytes"#);
    insta::assert_snapshot!(shown(&[lying]), @r#"
    File file -> "", 0 bytes
    File not a header -> "", 0 bytes
    "#);
    let link = block(b"link", b'2', |block| block[157..160].copy_from_slice(b"old"));
    insta::assert_snapshot!(shown(&[pax(&[("linkpath", b"new")]), link.clone()]), @r#"Symlink link -> "new", 0 bytes"#);
    insta::assert_snapshot!(shown(&[link]), @r#"Symlink link -> "old", 0 bytes"#);
}

#[test]
fn other_dialects_are_understood() {
    let file = entry(b"file", b'0', b"12345");
    let long = [&[b'l'; 150][..], b"\0"].concat();
    insta::assert_snapshot!(shown(&[entry(b"././@LongLink", b'L', &long), file.clone()]), @r#"File llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllll -> "", 5 bytes"#);
    let link = block(b"link", b'2', |_| {});
    insta::assert_snapshot!(shown(&[entry(b"././@LongLink", b'K', b"target\0rest"), link]), @r#"Symlink link -> "target", 0 bytes"#);
    // Global records are passed over; a prefix belongs to ustar, and not to GNU's old format.
    insta::assert_snapshot!(shown(&[entry(b"g", b'g', b"13 comment=x\n"), file.clone()]), @r#"File file -> "", 5 bytes"#);
    let prefixed = |magic: &'static [u8]| {
        block(b"name", b'0', move |block| {
            block[257..257 + magic.len()].copy_from_slice(magic);
            block[345..351].copy_from_slice(b"prefix");
        })
    };
    insta::assert_snapshot!(shown(&[prefixed(b"ustar\x0000"), prefixed(b"ustar  \0")]), @r#"
    File prefix/name -> "", 0 bytes
    File name -> "", 0 bytes
    "#);
    insta::assert_snapshot!(shown(&[entry(b"./a//", b'5', b""), entry(b"//././b", b'7', b""), entry(b"c", 0, b""), entry(b"d", b'3', b"")]), @r#"
    Directory a -> "", 0 bytes
    File ././b -> "", 0 bytes
    File c -> "", 0 bytes
    Other d -> "", 0 bytes
    "#);
    // Base 256, and links that state the size of their target.
    let binary = block(b"file", b'0', |block| {
        block[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
    });
    insta::assert_snapshot!(shown(&[binary, vec![0; BLOCK], file.clone()]), @r#"
    File file -> "", 512 bytes
    File file -> "", 5 bytes
    "#);
    let hard = block(b"hard", b'1', |block| block[124..135].copy_from_slice(b"00000001000"));
    insta::assert_snapshot!(shown(&[hard, file]), @r#"
    HardLink hard -> "", 0 bytes
    File file -> "", 5 bytes
    "#);
}

#[test]
fn what_is_no_tar_is_refused() {
    let number = |field: &'static [u8]| {
        block(b"file", b'0', move |b| b[124..124 + field.len()].copy_from_slice(field))
    };
    let mut wrong = entry(b"file", b'0', b"");
    wrong[0] ^= 1;
    insta::assert_snapshot!(shown(&[wrong]), @"no tar header at byte 0: the checksum is wrong");
    insta::assert_snapshot!(shown(&[number(b"12345678   ")]), @"no tar header at byte 512: a number is not octal");
    insta::assert_snapshot!(shown(&[number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")]), @"no tar header at byte 512: a number is too large");
    insta::assert_snapshot!(shown(&[number(b"\x80\0\0\x01\0\0\0\0\0\0\0\0")]), @"no tar header at byte 512: a number is too large");
    insta::assert_snapshot!(shown(&[number(b"77777777777")]), @"unexpected end of file");
    insta::assert_snapshot!(shown(&[number(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff")]), @"unexpected end of file");
    insta::assert_snapshot!(shown(&[entry(b"file", b'S', b"")]), @"no tar header at byte 512: sparse files are not supported");
    insta::assert_snapshot!(read(entry(b"file", b'0', b"12345")[..BLOCK + 2].to_vec(), LIMIT).unwrap_err(), @"unexpected end of file");
    insta::assert_snapshot!(read(entry(b"pax", b'x', b"12345")[..BLOCK + 2].to_vec(), LIMIT).unwrap_err(), @"no tar header at byte 512: it ends in the middle of a record");
    insta::assert_snapshot!(read(Vec::new(), LIMIT).unwrap_err(), @"no tar header at byte 0: it ends in the middle");
    insta::assert_snapshot!(read(vec![0; BLOCK - 1], LIMIT).unwrap_err(), @"no tar header at byte 0: it ends in the middle");
}

#[test]
fn the_most_of_everything_is_read_and_one_more_is_not() {
    let file = entry(b"file", b'0', b"");
    let record = |size: u64| {
        let head = format!("{size} comment=");
        let text = "x".repeat(usize::try_from(size).unwrap() - head.len() - 1);
        [entry(b"pax", b'x', format!("{head}{text}\n").as_bytes()), file.clone()].concat()
    };
    assert_eq!(read(record(MAX_RECORD), LIMIT).unwrap().len(), 1);
    assert!(read(record(MAX_RECORD + 1), LIMIT).unwrap_err().ends_with("a record is larger than 1 MiB"));
    let path = |length: usize| [pax(&[("path", &vec![b'p'; length])]), file.clone()].concat();
    assert_eq!(read(path(MAX_PATH), LIMIT).unwrap()[0].path.len(), MAX_PATH);
    assert!(read(path(MAX_PATH + 1), LIMIT).unwrap_err().ends_with("the path is longer than 4096 bytes"));
    // Headers count, also those that are about the next entry.
    let many = |count: usize| [pax(&[]), file.repeat(count)].concat();
    assert_eq!(read(many(9), 10).unwrap().len(), 9);
    assert_eq!(read(many(10), 10).unwrap_err(), "it has more than 10 entries");
}

#[test]
fn what_this_program_writes_is_read_back() {
    for length in [1, 99, 100, 101, 155, 156, 256, 257, 1000] {
        for path in ["n".repeat(length), "ab/".repeat(length / 3) + "x", "ü".repeat(length)] {
            for (kind, mode) in
                [(Kind::File(7), 0o755), (Kind::Directory, 0o644), (Kind::Symlink(path.as_bytes()), 0o777)]
            {
                let mut bytes = Vec::new();
                Header { path: path.as_bytes(), kind, mode, uid: u32::MAX, gid: 0 }
                    .write(&mut bytes)
                    .unwrap();
                let header = bytes.len() as u64;
                bytes.resize(bytes.len() + BLOCK, 0);
                let entries = read(bytes, LIMIT).unwrap();
                let (expected, size, target) = match kind {
                    Kind::File(size) => (EntryType::File, size, &b""[..]),
                    Kind::Directory => (EntryType::Directory, 0, &b""[..]),
                    Kind::Symlink(target) => (EntryType::Symlink, 0, target),
                };
                let entry = Entry {
                    path: path.clone(),
                    raw_path: path.clone().into_bytes(),
                    is_absolute: false,
                    kind: expected,
                    executable: mode & 0o100 != 0,
                    mode: mode.into(),
                    uid: u32::MAX.into(),
                    gid: 0,
                    modified: 1,
                    target: target.to_vec(),
                    size,
                    position: header,
                    besides: None,
                };
                assert_eq!(entries, [entry]);
            }
        }
    }
}

#[test]
fn content_is_read_in_pieces_or_passed_over() {
    let archive = [entry(b"a", b'0', &[7; 700]), entry(b"b", b'0', b"next")].concat();
    let mut entries = Entries::new(Cursor::new(archive), LIMIT);
    let first = entries.next().unwrap().unwrap();
    let mut piece = [0; 600];
    assert_eq!(entries.read_content(&first, &mut piece).unwrap(), 600);
    assert_eq!(entries.read_content(&first, &mut piece).unwrap(), 100);
    assert_eq!(entries.read_content(&first, &mut piece).unwrap(), 0);
    let second = entries.next().unwrap().unwrap();
    assert_eq!((second.path.as_str(), second.position), ("b", 512 + 1024 + 512));
    assert_eq!(entries.read_content(&second, &mut piece[..1]).unwrap(), 1);
    assert!(entries.next().unwrap().is_none());
}
