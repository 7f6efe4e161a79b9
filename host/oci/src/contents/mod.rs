//! The order of a layer's tar, and who owns each name in it: a layer may not hold a path twice (OCI image
//! specification, layer.md), so two inputs that want the same name are an error here.

mod error;
mod hidden;
mod names;

use std::collections::BTreeSet;
use std::rc::Rc;

use seed_model::{Digest, Entry, EntryKind};
use serde::Serialize;

use crate::codec::codec_id;
use crate::layer::{LayerSpec, PathSpec, key_of};
use crate::tar::{ENTRY_RULES, EntryType, Header, write_end, write_padding};

pub use error::ContentsError;
pub use hidden::check_hidden;
use names::{Names, Node, parents};

/// Longest path of an entry or target in bytes: `PATH_MAX` of Linux.
const MAX_PATH: usize = 4096;

/// Mode of directories that nobody declared: what the standard store directories have everywhere.
const PARENT_MODE: u32 = 0o755;

/// A piece of a layer's tar that is compressed on its own.
#[derive(Debug)]
pub(crate) enum Segment<'a> {
    /// Small things that are made anew each time: directories, entries, the archive's end.
    Generated(Vec<u8>),
    /// A path.
    Path(PathSegment<'a>),
}

/// The tar of one path.
#[derive(Debug)]
pub(crate) struct PathSegment<'a> {
    pub(crate) spec: &'a PathSpec,
    /// Directories that stand earlier in the layer and are left out here. Empty except for contents of the root.
    pub(crate) omit: BTreeSet<Vec<u8>>,
    /// Names everything that decides this segment's compressed bytes.
    pub(crate) key: Digest,
}

#[derive(Serialize)]
struct FrameKey<'a> {
    kind: &'static str,
    rules: u32,
    codec: &'a str,
    target: &'a str,
    nar_hash: Digest,
    omit: &'a BTreeSet<Vec<u8>>,
}

/// Cuts a layer into its segments, in order.
pub(crate) fn segments(spec: &LayerSpec) -> Result<Vec<Segment<'_>>, ContentsError> {
    let codec = codec_id(spec.codec)?;
    let mut names = Names::default();
    let (directories, mut others): (Vec<_>, Vec<_>) =
        spec.entries.iter().partition(|entry| entry.kind == EntryKind::Directory);

    let mut first = Vec::new();
    for entry in directories {
        let path = entry_path(entry)?;
        names.add_once(path, Node::Directory, &entry_owner(entry))?;
        first.push((path, entry.mode, entry.uid, entry.gid));
    }
    for path in &spec.paths {
        check_path(&path.target, &path.store_path)?;
        if !path.target.is_empty() {
            names.add_once(path.target.as_bytes(), Node::Other, &path.store_path.as_str().into())?;
        }
    }
    for entry in &others {
        names.add_once(entry_path(entry)?, Node::Other, &entry_owner(entry))?;
    }
    let wanted = spec.paths.iter().map(|path| path.target.as_bytes());
    let wanted = wanted.chain(spec.entries.iter().map(|entry| &entry.path.as_bytes()[1..]));
    let above = Rc::from("the directories above other entries");
    for path in wanted {
        for parent in parents(path) {
            if names.add(parent, Node::Directory, &above)? {
                first.push((parent, PARENT_MODE, 0, 0));
            }
        }
    }
    first.sort_by(|a, b| in_tree_order(a.0, b.0));
    let mut preamble = Vec::new();
    for (path, mode, uid, gid) in first {
        write(&mut preamble, &Header { path, kind: EntryType::Directory, mode, uid, gid }, &[]);
    }
    let mut segments = vec![Segment::Generated(preamble)];

    for path in &spec.paths {
        let omit = if path.target.is_empty() { names.add_tree(path)? } else { BTreeSet::new() };
        let key = key_of(&FrameKey {
            kind: "seed frames 1",
            rules: ENTRY_RULES,
            codec: &codec,
            target: &path.target,
            nar_hash: path.nar_hash,
            omit: &omit,
        });
        segments.push(Segment::Path(PathSegment { spec: path, omit, key }));
    }

    others.sort_by(|a, b| in_tree_order(a.path.as_bytes(), b.path.as_bytes()));
    let mut last = Vec::new();
    for entry in others {
        let (kind, content) = match &entry.kind {
            EntryKind::File(content) => (EntryType::File(content.len() as u64), &content[..]),
            EntryKind::Symlink(target) => (EntryType::Symlink(target.as_bytes()), &[][..]),
            EntryKind::Directory => continue,
            EntryKind::Registration => return Err(unwritten(entry)),
        };
        let path = &entry.path.as_bytes()[1..];
        write(&mut last, &Header { path, kind, mode: entry.mode, uid: entry.uid, gid: entry.gid }, content);
    }
    write_end(&mut last).expect("writing to memory");
    segments.push(Segment::Generated(last));
    Ok(segments)
}

fn write(out: &mut Vec<u8>, header: &Header<'_>, content: &[u8]) {
    header.write(out).expect("writing to memory");
    out.extend_from_slice(content);
    write_padding(out, content.len() as u64).expect("writing to memory");
}

/// Layers are packed from bytes; whoever has the closure makes a file of a registration first.
fn unwritten(entry: &Entry) -> ContentsError {
    let reason = "its registration has not been written";
    ContentsError::Path { owner: "an entry".to_owned(), path: entry.path.clone(), reason }
}

fn entry_owner(entry: &Entry) -> Rc<str> {
    format!("the entry `{}`", entry.path).into()
}

/// The path of an entry without its leading slash.
fn entry_path(entry: &Entry) -> Result<&[u8], ContentsError> {
    let bad = |reason| ContentsError::Path { owner: "an entry".to_owned(), path: entry.path.clone(), reason };
    let path = entry.path.strip_prefix('/').ok_or_else(|| bad("it must begin with `/`"))?;
    if path.is_empty() {
        return Err(bad("the root directory has no entry of its own"));
    }
    check_path(path, "an entry")?;
    Ok(path.as_bytes())
}

/// Refuses paths that a reader could resolve to another place, or take for a whiteout.
fn check_path(path: &str, owner: &str) -> Result<(), ContentsError> {
    let bad = |reason| Err(ContentsError::Path { owner: owner.to_owned(), path: path.to_owned(), reason });
    if path.len() > MAX_PATH {
        return bad("it has more than 4096 bytes");
    }
    if path.contains('\0') {
        return bad("it contains a NUL");
    }
    for name in path.split('/').filter(|_| !path.is_empty()) {
        match name {
            "" => return bad("it has an empty component"),
            "." | ".." => return bad("it has a `.` or `..`"),
            name if is_whiteout(name.as_bytes()) => {
                return bad("container engines read a name with `.wh.` as a deletion");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether container engines take a file of this name for the deletion of another (layer.md, "Whiteouts").
pub(crate) fn is_whiteout(name: &[u8]) -> bool {
    name.starts_with(b".wh.")
}

/// Parents before children, and byte order of names within each directory.
fn in_tree_order(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    a.split(|byte| *byte == b'/').cmp(b.split(|byte| *byte == b'/'))
}
