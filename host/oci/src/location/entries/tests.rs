//! Headers that readers of tar take in different ways.

mod by_hand;

use insta::assert_snapshot;
use tar::EntryType as Kind;

use super::*;
use crate::location::testing::tar_entry;

struct Bytes(io::Cursor<Vec<u8>>);

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Skip for Bytes {}

/// The paths, targets and sizes in a tar.
fn read(tar: &[Vec<u8>]) -> Result<String, String> {
    let mut entries = Entries::new(Bytes(io::Cursor::new(tar.concat())), 100);
    let mut found = Vec::new();
    while let Some(entry) = entries.next().map_err(|error| error.to_string())? {
        let target = String::from_utf8_lossy(&entry.target).into_owned();
        found.push(format!("{:?} {} [{target}] {}", entry.kind, entry.path, entry.size));
    }
    Ok(found.join("\n"))
}

/// A record of a PAX header.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let length = (rest..rest + 9).find(|length| length - length.to_string().len() == rest).unwrap();
    format!("{length} {key}={value}\n")
}

fn pax(kind: Kind, records: &str) -> Vec<u8> {
    tar_entry("PaxHeader", kind, "", records.as_bytes())
}

fn file(name: &str) -> Vec<u8> {
    tar_entry(name, Kind::Regular, "", b"content")
}

/// A directory as it was written before there was a flag for it.
fn old_directory(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_old();
    header.set_size(0);
    header.set_mode(0o755);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkflag = [0];
    header.set_cksum();
    header.as_bytes().to_vec()
}

#[test]
fn headers_before_an_entry_say_its_path_target_and_size() {
    let link = tar_entry("short", Kind::Symlink, "x", b"");
    let tar = [
        pax(Kind::XHeader, &(record("path", "a long path") + &record("mtime", "1.5"))),
        file("short"),
        tar_entry("././@LongLink", Kind::GNULongLink, "", b"a long target\0"),
        tar_entry("././@LongLink", Kind::GNULongName, "", b"a long name\0"),
        link,
        pax(Kind::XGlobalHeader, &record("comment", "1234")),
        old_directory("directory/"),
        tar_entry("other", Kind::Link, "directory/file", b""),
        vec![0; 1024],
    ];
    assert_snapshot!(read(&tar).unwrap());
}

#[test]
fn what_has_two_meanings_is_refused() {
    let x = |records: &str| read(&[pax(Kind::XHeader, records), file("a"), vec![0; 1024]]).unwrap_err();
    assert_snapshot!(x(&(record("path", "b") + &record("path", "c"))), @"no tar header at byte 1536: an entry has two long paths or an empty one");
    assert_snapshot!(x(&record("path", "")), @"no tar header at byte 1536: an entry has two long paths or an empty one");
    assert_snapshot!(x(&record("path", "b\0c")), @"no tar header at byte 1536: a path has a zero byte");
    assert_snapshot!(x(&record("linkpath", "b\0c")), @"no tar header at byte 1536: a path has a zero byte");
    assert_snapshot!(x(&record("size", "-1")), @"no tar header at byte 1536: an entry has two sizes or one that is not a number");
    assert_snapshot!(x(&record("size", "+7")), @"no tar header at byte 1536: an entry has two sizes or one that is not a number");
    assert_snapshot!(x(&record("size", "99999999999999999999")), @"no tar header at byte 1536: an entry has two sizes or one that is not a number");
    assert_snapshot!(x(&record("GNU.sparse.name", "b")), @"no tar header at byte 1536: sparse files are not supported");
    for malformed in
        ["path=b\n", "11 path=b\n", "99 path=b\n", "8 path=b\n", "0 \n", "-1 a=b\n", "7 path\n", " "]
    {
        assert!(x(malformed).ends_with(": a PAX header is malformed"), "{malformed:?}");
    }
    let before = |first: Vec<u8>, second: Vec<u8>| read(&[first, second, file("a")]).unwrap_err();
    let long = || tar_entry("././@LongLink", Kind::GNULongName, "", b"b\0");
    assert_snapshot!(before(long(), pax(Kind::XHeader, &record("path", "c"))), @"no tar header at byte 2560: an entry has two long paths or an empty one");
    assert_snapshot!(before(long(), long()), @"no tar header at byte 2560: an entry has two long paths or an empty one");
    assert_snapshot!(before(pax(Kind::XGlobalHeader, &record("path", "b")), file("c")), @"no tar header at byte 521: a global PAX header has a path or a size");
    assert_snapshot!(read(&[tar_entry("index.json/", Kind::Regular, "", b"x")]).unwrap_err(), @"no tar header at byte 512: the name of a file ends with `/`");
    assert_snapshot!(read(&[tar_entry("a", Kind::GNUSparse, "", b"")]).unwrap_err(), @"no tar header at byte 512: sparse files are not supported");
}

#[test]
fn sizes_near_the_largest_number_are_errors() {
    for size in [u64::MAX, u64::MAX - 511, 1 << 63] {
        let huge = read(&[pax(Kind::XHeader, &record("size", &size.to_string())), file("a"), file("b")]);
        assert!(huge.is_err(), "{size}");
    }
}
