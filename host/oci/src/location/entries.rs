//! Reads the headers of a tar that somebody else wrote: ustar, PAX paths and sizes, GNU long names.

use std::io::{self, Read};

use crate::location::entry::{Entry, EntryType, TarError};
use crate::location::extended::{Extended, SPARSE, text};
use crate::tar::BLOCK;

/// The largest PAX or long-name record: 1 MiB.
const MAX_RECORD: u64 = 1 << 20;
/// The longest path.
const MAX_PATH: usize = 4096;

/// A reader that can pass over bytes.
pub(crate) trait Skip: Read {
    /// Passes over exactly `bytes`, or fails.
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.take(bytes), &mut io::sink())?;
        if skipped == bytes { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

/// The entries of a tar, one after the other.
#[derive(Debug)]
pub(crate) struct Entries<R> {
    reader: R,
    position: u64,
    /// Content and padding of the last entry that have not been passed yet.
    pending: u64,
    count: u64,
    /// The most headers.
    limit: u64,
}

impl<R: Skip> Entries<R> {
    /// Reads at most `limit` headers; one more is an error.
    pub(crate) const fn new(reader: R, limit: u64) -> Self {
        Self { reader, position: 0, pending: 0, count: 0, limit }
    }

    /// The reader, wherever it stands.
    pub(crate) fn into_inner(self) -> R {
        self.reader
    }

    /// The next entry, or none at the end of the archive.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, TarError> {
        let mut long = Extended::default();
        loop {
            self.pass_content()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = self.number(&header[124..136])?;
            match header[156] {
                b'x' => long.add_pax(&self.record(size)?),
                b'L' => long.set_path(text(&self.record(size)?)),
                b'K' => long.set_target(text(&self.record(size)?)),
                // Some readers apply it to all that follows, and some to nothing.
                b'g' => {
                    let mut global = Extended::default();
                    global.add_pax(&self.record(size)?);
                    if global.is_about_content() {
                        return Err(self.bad("a global PAX header has a path or a size"));
                    }
                    long.note("a global PAX header");
                }
                b'S' => return Err(self.bad(SPARSE)),
                flag => return self.entry(&header, flag, long).map(Some),
            }
        }
    }

    /// The entry of a header, with what the headers before it said.
    fn entry(&mut self, header: &[u8; BLOCK], flag: u8, mut long: Extended) -> Result<Entry, TarError> {
        if let Some(reason) = long.ambiguous {
            return Err(self.bad(reason));
        }
        let stated = long.size.map_or_else(|| self.number(&header[124..136]), Ok)?;
        let path = long.path.take().unwrap_or_else(|| ustar_path(header));
        let target = long.target.take().unwrap_or_else(|| text(&header[157..257]));
        if path.len() > MAX_PATH {
            return Err(self.bad("the path is longer than 4096 bytes"));
        }
        // A path for some readers, and the beginning of one for others.
        if path.contains(&0) || target.contains(&0) {
            return Err(self.bad("a path has a zero byte"));
        }
        let kind = match flag {
            // Before there was a flag for directories, their names ended like this.
            0 if path.ends_with(b"/") => EntryType::Directory,
            b'0' | b'7' if path.ends_with(b"/") => {
                return Err(self.bad("the name of a file ends with `/`"));
            }
            b'0' | 0 | b'7' => EntryType::File,
            b'1' => EntryType::HardLink,
            b'5' => EntryType::Directory,
            b'2' => EntryType::Symlink,
            _ => EntryType::Other,
        };
        // Links may state the size of their target, and have no content.
        let size = if matches!(flag, b'1'..=b'6') { 0 } else { stated };
        self.pending = padded(size);
        if size != stated {
            long.note("a size of something without content");
        }
        if flag == b'7' || (flag == 0 && kind == EntryType::Directory) {
            long.note("an ambiguous type");
        }
        let is_absolute = path.starts_with(b"/");
        if is_absolute {
            long.note("an absolute path");
        }
        long.note_fields(header);
        if [329..337, 337..345].into_iter().any(|field| self.number(&header[field]).ok() != Some(0)) {
            long.note("a device number");
        }
        // What only some readers of this look at does not keep the others from reading.
        let [uid, gid, modified] =
            [108..116, 116..124, 136..148].map(|field| self.number(&header[field]).ok());
        let (uid, gid, modified) = (long.uid.or(uid), long.gid.or(gid), long.modified.or(modified));
        if uid.is_none() || gid.is_none() || modified.is_none() {
            long.note("an owner, group or time that is not a number");
        }
        let raw_path = trimmed(&path).to_owned();
        let mode = self.number(&header[100..108])?;
        Ok(Entry {
            path: String::from_utf8_lossy(&raw_path).into_owned(),
            raw_path,
            is_absolute,
            kind,
            executable: mode & 0o100 != 0,
            mode,
            uid: uid.unwrap_or_default(),
            gid: gid.unwrap_or_default(),
            modified: modified.unwrap_or_default(),
            target,
            size,
            position: self.position,
            besides: long.besides,
        })
    }

    /// The content of the entry that [`Self::next`] gave last: at most `buffer`, nothing at its end.
    pub(crate) fn read_content(&mut self, entry: &Entry, buffer: &mut [u8]) -> Result<usize, TarError> {
        let passed = self.position.saturating_sub(entry.position);
        let left = usize::try_from(entry.size.saturating_sub(passed)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = match self.reader.read(&mut buffer[..wanted]) {
            Ok(0) if wanted > 0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return self.read_content(entry, buffer),
            Err(e) => return Err(e.into()),
        };
        self.position = self.position.saturating_add(read as u64);
        self.pending = self.pending.saturating_sub(read as u64);
        Ok(read)
    }

    fn pass_content(&mut self) -> Result<(), TarError> {
        self.reader.skip(self.pending)?;
        self.position = self.position.saturating_add(self.pending);
        self.pending = 0;
        Ok(())
    }

    /// The next header with a correct checksum; none at a zero block or the end of the input.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut header = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.reader.read(&mut header[filled..]) {
                Ok(0) if filled == 0 && self.count > 0 => return Ok(None),
                Ok(0) => return Err(self.bad("it ends in the middle")),
                Ok(read) => filled = filled.saturating_add(read),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        if header.iter().all(|b| *b == 0) {
            return Ok(None);
        }
        let sum = header
            .iter()
            .enumerate()
            .map(|(i, b)| u64::from(if (148..156).contains(&i) { b' ' } else { *b }))
            .fold(0, u64::saturating_add);
        if self.number(&header[148..156])? != sum {
            return Err(self.bad("the checksum is wrong"));
        }
        self.count = self.count.saturating_add(1);
        if self.count > self.limit {
            return Err(TarError::TooMany(self.limit));
        }
        self.position = self.position.saturating_add(BLOCK as u64);
        Ok(Some(header))
    }

    /// The content of a metadata entry.
    fn record(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > MAX_RECORD {
            return Err(self.bad("a record is larger than 1 MiB"));
        }
        let mut record = Vec::new();
        let read = self.reader.by_ref().take(size).read_to_end(&mut record)? as u64;
        if read < size {
            return Err(self.bad("it ends in the middle of a record"));
        }
        self.position = self.position.saturating_add(size);
        self.pending = padded(size).saturating_sub(size);
        Ok(record)
    }

    /// An octal number, or GNU's base 256.
    fn number(&self, field: &[u8]) -> Result<u64, TarError> {
        if field[0] & 0x80 != 0 {
            let first = u64::from(field[0] & 0x7F);
            let number = field[1..].iter().try_fold(first, |number, byte| {
                (number >> 56 == 0).then(|| (number << 8) | u64::from(*byte))
            });
            return number.ok_or_else(|| self.bad("a number is too large"));
        }
        let text = std::str::from_utf8(field).map_err(|_| self.bad("a number is not octal"))?;
        let text = text.trim_matches(['\0', ' ']);
        if text.is_empty() {
            Ok(0)
        } else {
            u64::from_str_radix(text, 8).map_err(|_| self.bad("a number is not octal"))
        }
    }

    const fn bad(&self, reason: &'static str) -> TarError {
        TarError::Header { position: self.position, reason }
    }
}

/// Content is padded to whole blocks.
const fn padded(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64)
}

/// A path without `./` and `/` before and behind it.
fn trimmed(mut path: &[u8]) -> &[u8] {
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    while let Some(rest) = path.strip_prefix(b"/") {
        path = rest;
    }
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    path
}

fn ustar_path(header: &[u8; BLOCK]) -> Vec<u8> {
    let name = text(&header[..100]);
    // GNU's old format uses the bytes of the prefix for something else.
    let prefix = if &header[257..263] == b"ustar\0" { text(&header[345..500]) } else { Vec::new() };
    if prefix.is_empty() { name } else { [prefix, name].join(&b'/') }
}

#[cfg(test)]
mod tests;
