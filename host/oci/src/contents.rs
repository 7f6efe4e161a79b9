//! The order of a layer's tar, and who owns each name in it: a layer may not hold a path twice (OCI image
//! specification, layer.md), so two inputs that want the same name are an error here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use seed_model::{Digest, Entry, EntryKind};
use serde::Serialize;

use crate::codec::{CodecError, codec_id};
use crate::layer::{LayerSpec, PathSpec, key_of};
use crate::nar::{NarError, NarSink, list_tree};
use crate::tar::{ENTRY_RULES, EntryType, Header, write_end, write_padding};

/// Longest path of an entry or target in bytes: `PATH_MAX` of Linux.
const MAX_PATH: usize = 4096;

/// Mode of directories that nobody declared: what the standard store directories have everywhere.
const PARENT_MODE: u32 = 0o755;

/// Why a layer's contents do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// Two inputs want the same name.
    #[error("`/{}` comes both from {first} and from {second}", path.escape_debug())]
    Conflict {
        /// The path in the image, without a leading slash.
        path: String,
        /// What had it first.
        first: String,
        /// What wants it too.
        second: String,
    },
    /// A path that cannot be in an image.
    #[error("{owner} cannot be at `{}` in an image: {reason}", path.escape_debug())]
    Path {
        /// What has the path.
        owner: String,
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A directory for the image's root cannot be listed.
    #[error(transparent)]
    Nar(#[from] NarError),
    /// The codec cannot be used.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

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
        return bad("it has a zero byte");
    }
    for name in path.split('/').filter(|_| !path.is_empty()) {
        match name {
            "" => return bad("it has an empty name"),
            "." | ".." => return bad("it has a `.` or `..`"),
            name if is_whiteout(name.as_bytes()) => return bad("names with `.wh.` mean deletion there"),
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

/// The directories above a path, outermost first.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| &path[..end])
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    /// A directory that others may put something into.
    Directory,
    /// Anything else: a file, a link, or a store path with all that is in it.
    Other,
}

/// The names of one layer.
#[derive(Default)]
struct Names(BTreeMap<Vec<u8>, (Node, Rc<str>)>);

impl Names {
    /// Adds a name that nothing else may have.
    fn add_once(&mut self, path: &[u8], node: Node, owner: &Rc<str>) -> Result<(), ContentsError> {
        match self.0.get(path) {
            Some((_, first)) => Err(conflict(path, first, owner)),
            None => self.add(path, node, owner).map(drop),
        }
    }

    /// Adds a name, unless it is a directory that is there already; says whether it was added.
    fn add(&mut self, path: &[u8], node: Node, owner: &Rc<str>) -> Result<bool, ContentsError> {
        if let Some((existing, first)) = self.0.get(path) {
            let merges = *existing == Node::Directory && node == Node::Directory;
            return if merges { Ok(false) } else { Err(conflict(path, first, owner)) };
        }
        for parent in parents(path) {
            if let Some((Node::Other, first)) = self.0.get(parent) {
                return Err(conflict(parent, first, owner));
            }
        }
        if node == Node::Other {
            let below = [path, b"/"].concat();
            let next = self.0.range::<[u8], _>((Bound::Included(&below[..]), Bound::Unbounded)).next();
            if let Some((_, (_, second))) = next.filter(|(name, _)| name.starts_with(&below)) {
                return Err(conflict(path, owner, second));
            }
        }
        self.0.insert(path.to_vec(), (node, Rc::clone(owner)));
        Ok(true)
    }

    /// Adds what is in a directory for the image's root; gives the directories in it that the layer has already.
    fn add_tree(&mut self, spec: &PathSpec) -> Result<BTreeSet<Vec<u8>>, ContentsError> {
        let mut tree = TreeNames {
            names: self,
            owner: spec.store_path.as_str().into(),
            omit: BTreeSet::new(),
            conflict: None,
        };
        let listed = list_tree(&spec.source, &mut tree);
        match tree.conflict.take() {
            Some(conflict) => Err(conflict),
            None => Ok(listed.map(|()| tree.omit)?),
        }
    }
}

fn conflict(path: &[u8], first: &str, second: &str) -> ContentsError {
    ContentsError::Conflict {
        path: String::from_utf8_lossy(path).into_owned(),
        first: first.to_owned(),
        second: second.to_owned(),
    }
}

struct TreeNames<'a> {
    names: &'a mut Names,
    owner: Rc<str>,
    omit: BTreeSet<Vec<u8>>,
    conflict: Option<ContentsError>,
}

impl TreeNames<'_> {
    fn add(&mut self, path: &[u8], node: Node) -> Result<(), String> {
        if path.is_empty() {
            return Ok(());
        }
        match self.names.add(path, node, &self.owner) {
            Ok(true) => {}
            Ok(false) => drop(self.omit.insert(path.to_vec())),
            Err(conflict) => {
                let reason = conflict.to_string();
                self.conflict = Some(conflict);
                return Err(reason);
            }
        }
        Ok(())
    }
}

impl NarSink for TreeNames<'_> {
    fn directory(&mut self, path: &[u8]) -> Result<(), String> {
        self.add(path, Node::Directory)
    }
    fn symlink(&mut self, path: &[u8], _: &[u8]) -> Result<(), String> {
        self.add(path, Node::Other)
    }
    fn file(&mut self, path: &[u8], _: bool, _: u64) -> Result<(), String> {
        self.add(path, Node::Other)
    }
}
