//! Writes tar headers: POSIX ustar, with PAX records only for what ustar cannot say.
//!
//! Frozen choices, all part of [`ENTRY_RULES`]: owner and group *names* are empty, so that no reader maps them to
//! whatever number its own machine gives `root`; modification times are 1, as in the Nix store; directories end in
//! `/`; there are no GNU extensions. The PAX header's own name is the one that Python's `tarfile` writes.

#![expect(clippy::arithmetic_side_effects, reason = "lengths of fields that are written here")]

use std::io::{self, Write};

/// Version of the rules for entries: which headers, modes and order. Part of layer and frame keys; any
/// change of bytes needs a new number.
pub(crate) const ENTRY_RULES: u32 = 1;

/// Tar is written in blocks of this many bytes.
pub(crate) const BLOCK: usize = 512;

/// Modification time of every entry: Nix's canonical one, one second after the epoch.
const MODIFIED: u64 = 1;

/// The largest number that seven octal digits can say: owner and group.
const MAX_OWNER: u32 = 0o7_777_777;

/// The largest number that eleven octal digits can say: 8 GiB less one.
const MAX_SIZE: u64 = 0o77_777_777_777;

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EntryType<'a> {
    /// A regular file of this many bytes, which follow the header.
    File(u64),
    /// A directory.
    Directory,
    /// A symbolic link to this target.
    Symlink(&'a [u8]),
}

/// One entry: the header's fields that vary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    /// Relative path without a slash at its end.
    pub(crate) path: &'a [u8],
    pub(crate) kind: EntryType<'a>,
    /// Permission bits, 12 at most.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Header<'_> {
    /// Writes the header, and a PAX header before it where one is needed.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut path = self.path.to_vec();
        if matches!(self.kind, EntryType::Directory) {
            path.push(b'/');
        }
        let (flag, size, link) = match self.kind {
            EntryType::File(size) => (b'0', size, &b""[..]),
            EntryType::Directory => (b'5', 0, &b""[..]),
            EntryType::Symlink(target) => (b'2', 0, target),
        };

        let split = path.is_ascii().then(|| split_name(&path)).flatten();
        let long_link = link.len() > 100 || !link.is_ascii();
        let mut records = Vec::new();
        if split.is_none() {
            records.push(("path", path.clone()));
        }
        if long_link {
            records.push(("linkpath", link.to_vec()));
        }
        if size > MAX_SIZE {
            records.push(("size", size.to_string().into_bytes()));
        }
        if self.uid > MAX_OWNER {
            records.push(("uid", self.uid.to_string().into_bytes()));
        }
        if self.gid > MAX_OWNER {
            records.push(("gid", self.gid.to_string().into_bytes()));
        }
        if !records.is_empty() {
            write_pax(out, &records)?;
        }

        // Where a PAX record has the truth, the field gets what fits of it.
        let (prefix, name) = split
            .map_or_else(|| (Vec::new(), ascii(&path)), |(prefix, name)| (prefix.to_vec(), name.to_vec()));
        let block = Block {
            name: &name,
            prefix: &prefix,
            mode: self.mode & 0o7777,
            uid: if self.uid > MAX_OWNER { 0 } else { self.uid },
            gid: if self.gid > MAX_OWNER { 0 } else { self.gid },
            size: if size > MAX_SIZE { 0 } else { size },
            flag,
            link: &if long_link { ascii(link) } else { link.to_vec() },
        };
        out.write_all(&block.bytes())
    }
}

/// Whether a tar that begins with this block has the headers of this module: that of a file with this mode, or a PAX header
/// before it.
pub(crate) fn begins_with_file(block: &[u8; BLOCK], mode: u32) -> bool {
    let text =
        |field: &[u8]| field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())].to_vec();
    let size = std::str::from_utf8(&block[124..135]).ok().and_then(|text| u64::from_str_radix(text, 8).ok());
    let (name, prefix, flag) = (text(&block[..100]), text(&block[345..500]), block[156]);
    let mode = if flag == b'x' { 0 } else { mode };
    size.is_some_and(|size| {
        let written = Block { name: &name, prefix: &prefix, mode, uid: 0, gid: 0, size, flag, link: b"" };
        matches!(flag, b'0' | b'x') && size <= MAX_SIZE && written.bytes() == *block
    })
}

/// Zeros that fill up the last block of a file of `size` bytes.
pub(crate) fn write_padding(out: &mut impl Write, size: u64) -> io::Result<()> {
    let rest = usize::try_from(size % BLOCK as u64).expect("less than a block");
    if rest == 0 { Ok(()) } else { out.write_all(&[0; BLOCK][rest..]) }
}

/// The end of an archive: exactly two blocks of zeros, no more padding.
pub(crate) fn write_end(out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[0; 2 * BLOCK])
}

/// Prefix and name of ustar, split at a slash, if the path fits into 155 and 100 bytes.
fn split_name(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= 100 {
        return Some((&[], path));
    }
    // The last byte may be a directory's slash, which cannot be the place to split.
    let end = (path.len() - 1).min(156);
    let slash = path[..end].iter().rposition(|byte| *byte == b'/')?;
    let (prefix, name) = (&path[..slash], &path[slash + 1..]);
    (!prefix.is_empty() && name.len() <= 100).then_some((prefix, name))
}

fn ascii(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(u8::is_ascii).take(100).collect()
}

fn write_pax(out: &mut impl Write, records: &[(&str, Vec<u8>)]) -> io::Result<()> {
    let mut body = Vec::new();
    // Values are UTF-8 unless this record says otherwise.
    if records.iter().any(|(_, value)| std::str::from_utf8(value).is_err()) {
        push_record(&mut body, "hdrcharset", b"BINARY");
    }
    for (key, value) in records {
        push_record(&mut body, key, value);
    }
    let size = body.len() as u64;
    let block =
        Block { name: b"././@PaxHeader", prefix: b"", mode: 0, uid: 0, gid: 0, size, flag: b'x', link: b"" };
    out.write_all(&block.bytes())?;
    out.write_all(&body)?;
    write_padding(out, size)
}

/// Appends `<length> <key>=<value>\n`, where the length counts its own digits.
fn push_record(body: &mut Vec<u8>, key: &str, value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    body.extend_from_slice(format!("{length} {key}=").as_bytes());
    body.extend_from_slice(value);
    body.push(b'\n');
}

/// The fields of one header block.
struct Block<'a> {
    name: &'a [u8],
    prefix: &'a [u8],
    mode: u32,
    uid: u32,
    gid: u32,
    size: u64,
    flag: u8,
    link: &'a [u8],
}

impl Block<'_> {
    fn bytes(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[..self.name.len()].copy_from_slice(self.name);
        octal(&mut block[100..108], self.mode.into());
        octal(&mut block[108..116], self.uid.into());
        octal(&mut block[116..124], self.gid.into());
        octal(&mut block[124..136], self.size);
        octal(&mut block[136..148], MODIFIED);
        block[156] = self.flag;
        block[157..157 + self.link.len()].copy_from_slice(self.link);
        block[257..265].copy_from_slice(b"ustar\x0000");
        octal(&mut block[329..337], 0);
        octal(&mut block[337..345], 0);
        block[345..345 + self.prefix.len()].copy_from_slice(self.prefix);

        // The checksum is made with spaces in its own field, and written as six digits, a zero and a space.
        block[148..156].fill(b' ');
        let sum = block.iter().fold(0, |sum: u32, byte| sum + u32::from(*byte));
        octal(&mut block[148..155], sum.into());
        block
    }
}

/// Octal digits with a zero byte after them, filling the field.
fn octal(field: &mut [u8], value: u64) {
    let width = field.len() - 1;
    field[..width].copy_from_slice(format!("{value:0width$o}").as_bytes());
    field[width] = 0;
}

#[cfg(test)]
mod tests;
