//! What the headers before an entry's own say of it: PAX records and GNU's long names.

use crate::tar::BLOCK;

pub(super) const SPARSE: &str = "sparse files are not supported";

/// What extended headers say. The last one wins, as in most readers. `ambiguous` and `besides` tell of what others could
/// read in another way.
#[derive(Debug, Default)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) target: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    /// Seconds since the epoch.
    pub(super) modified: Option<u64>,
    /// What readers take in different ways, and what decides on the entry's path, its target or its content.
    pub(super) ambiguous: Option<&'static str>,
    /// The first thing that is not in the fields above.
    pub(super) besides: Option<String>,
    /// Whether there was a PAX header.
    pax: bool,
}

impl Extended {
    /// Notes something that an entry has no field for.
    pub(super) fn note(&mut self, what: &str) {
        self.besides.get_or_insert_with(|| what.to_owned());
    }

    pub(super) fn set_path(&mut self, path: Vec<u8>) {
        // To some readers, an empty one takes back another.
        if path.is_empty() || self.path.replace(path).is_some() {
            self.ambiguous = Some("an entry has two long paths or an empty one");
        }
    }

    pub(super) fn set_target(&mut self, target: Vec<u8>) {
        if target.is_empty() || self.target.replace(target).is_some() {
            self.ambiguous = Some("an entry has two long targets or an empty one");
        }
    }

    /// Whether it says where an entry or its content is.
    pub(super) fn is_about_content(&self) -> bool {
        self.path.is_some() || self.target.is_some() || self.size.is_some() || self.ambiguous.is_some()
    }

    /// Takes a PAX header: `LENGTH KEY=VALUE\n`, repeated.
    pub(super) fn add_pax(&mut self, mut text: &[u8]) {
        if std::mem::replace(&mut self.pax, true) {
            self.ambiguous = Some("an entry has two PAX headers");
        }
        while let Some((key, value, rest)) = pax_record(text) {
            self.set(key, value);
            text = rest;
        }
        if !text.is_empty() {
            self.ambiguous = Some("a PAX header is malformed");
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
        match key {
            b"path" => return self.set_path(value.to_vec()),
            b"linkpath" => return self.set_target(value.to_vec()),
            // Only says how the other values are to be read, and here they are bytes.
            b"hdrcharset" => return,
            key if key.starts_with(b"GNU.sparse.") => {
                self.ambiguous = Some(SPARSE);
                return;
            }
            b"size" => {
                let size = number(value).filter(|_| value.iter().all(u8::is_ascii_digit));
                if size.is_none() || self.size.is_some() {
                    self.ambiguous = Some("an entry has two sizes or one that is not a number");
                }
                self.size = size;
                return;
            }
            _ => {}
        }
        let field = match key {
            b"uid" => &mut self.uid,
            b"gid" => &mut self.gid,
            b"mtime" => &mut self.modified,
            _ => return self.note(&format!("the PAX record `{}`", key.escape_ascii())),
        };
        let twice = field.is_some();
        let value = match (key, number(value)) {
            // A fraction of a second is not kept.
            (b"mtime", None) => {
                let whole = value.split(|byte| *byte == b'.').next().and_then(number);
                self.note("a fraction of a second");
                self.modified = whole;
                return;
            }
            (_, value) => value,
        };
        *field = value;
        if twice || value.is_none() {
            self.note(&format!("an ambiguous PAX record `{}`", key.escape_ascii()));
        }
    }

    /// Notes what the header itself says in places that an entry has no field for.
    pub(super) fn note_fields(&mut self, header: &[u8; BLOCK]) {
        if header[265..329].iter().any(|byte| *byte != 0) {
            self.note("the name of an owner or group");
        }
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        let is_plain = match &header[257..265] {
            b"ustar\x0000" => is_zero(&header[500..]),
            // GNU and the seventh edition have no prefix.
            b"ustar  \0" => is_zero(&header[345..]),
            old => is_zero(old) && is_zero(&header[345..]),
        };
        if !is_plain {
            self.note("fields of another format");
        }
    }
}

/// A field up to its first zero byte.
pub(super) fn text(field: &[u8]) -> Vec<u8> {
    field[..field.iter().position(|byte| *byte == 0).unwrap_or(field.len())].to_vec()
}

/// The first record: its key, its value, and what follows it.
fn pax_record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    let length = std::str::from_utf8(&text[..space]).ok()?.parse().ok()?;
    let (record, rest) = text.split_at_checked(length)?;
    let record = record.get(space..)?.strip_prefix(b" ")?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = record.split_at(equals);
    Some((key, value.strip_prefix(b"=")?, rest))
}
