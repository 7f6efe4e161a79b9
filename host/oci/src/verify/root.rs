//! Whether every entry of an image stays in the image's root: no absolute path, no `..`, nothing through a link that
//! leads out.
//!
//! Container engines keep entries in the root whatever a link says, but not every tool that unpacks layers does. Each
//! layer is read once, and gives its directories and links. The layers of each image are then put on each other, since
//! a link of a lower layer leads the entries of an upper one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::location::{Entries, Entry, EntryType, TarError, Unpacked, names};

/// The most memory for the paths of all layers of one verification, in bytes.
const MAX_BYTES: u64 = 256 << 20;
/// The most look-ups in links, of all images of one verification.
const MAX_LOOKUPS: u64 = 100_000_000;
/// The most links on the way to one entry, as in Linux.
const MAX_LINKS: usize = 40;
/// A file that deletes another one of lower layers has this before its name (image-spec, `layer.md`).
const WHITEOUT: &[u8] = b".wh.";
/// A file that deletes all that lower layers have in its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";
const OWN_LINK: &str = "is in the place of a link of its own layer, or below one";

/// Names from the root on, joined with `/`; empty for the root.
type Path = Vec<u8>;

/// What is left of the bounds.
#[derive(Debug)]
pub(super) struct Budget {
    bytes: AtomicU64,
    lookups: AtomicU64,
}

impl Budget {
    pub(super) const fn new() -> Self {
        Self { bytes: AtomicU64::new(MAX_BYTES), lookups: AtomicU64::new(MAX_LOOKUPS) }
    }
}

/// Takes `amount` of what is left for the entry at `path`.
fn take(left: &AtomicU64, amount: u64, path: &[u8]) -> Result<(), TarError> {
    let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(amount));
    let too_many = |_| refused(path, "exceeds the limit of directories and links that are checked");
    taken.map(drop).map_err(too_many)
}

/// What an entry does at its path, as far as it decides where other entries are.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// There are files in this directory.
    Files,
    Directory,
    /// A link to this target.
    Symlink(Vec<u8>),
    /// Another name of what is at this path.
    HardLink(Path),
    /// Deletes what lower layers have there.
    Delete,
    /// Deletes what lower layers have below.
    DeleteBelow,
}

/// The directories and links of one layer, in its order.
#[derive(Debug, Default)]
pub(super) struct LayerPaths(Vec<(Path, Step)>);

impl LayerPaths {
    /// Reads a layer to its end. Refuses an entry whose path leads out, and one that is below a link of the same layer
    /// or in the place of one: no directory on disk gives such a layer.
    pub(super) fn read(entries: &mut Entries<Unpacked>, budget: &Budget) -> Result<Self, TarError> {
        let mut steps: Vec<(Path, Step)> = Vec::new();
        let mut links: BTreeSet<Path> = BTreeSet::new();
        while let Some(entry) = entries.next()? {
            let Some((path, above, step)) = step(&entry)? else { continue };
            let is_files = step == Step::Files;
            // The directory of the last entry has been checked.
            let is_known = is_files
                && matches!(steps.last(), Some((last, Step::Files | Step::Directory)) if *last == above);
            if links.contains(&path) || (!is_known && is_below(&path, &links)) {
                return Err(refused(&path, OWN_LINK));
            }
            if is_known {
                continue;
            }
            let path = if is_files { above } else { path };
            let target = match &step {
                Step::Symlink(target) | Step::HardLink(target) => target.len(),
                _ => 0,
            };
            // A link's path is kept twice.
            let bytes = path.len().saturating_mul(2).saturating_add(target).saturating_add(128);
            take(&budget.bytes, bytes as u64, &path)?;
            if matches!(step, Step::Symlink(_)) {
                links.insert(path.clone());
            }
            steps.push((path, step));
        }
        Ok(Self(steps))
    }
}

/// An entry's path, its directory, and what it does; none for the root itself.
fn step(entry: &Entry) -> Result<Option<(Path, Path, Step)>, TarError> {
    let outside = || refused(&entry.raw_path, "is outside of the image's root");
    let all = entry.names().ok_or_else(outside)?;
    let Some((name, above)) = all.split_last() else {
        return if entry.kind == EntryType::Directory { Ok(None) } else { Err(outside()) };
    };
    let above = above.join(&b'/');
    let path = all.join(&b'/');
    let step = match entry.kind {
        _ if *name == OPAQUE => return Ok(Some((above.clone(), above, Step::DeleteBelow))),
        _ if name.starts_with(WHITEOUT) => {
            let deleted = name.strip_prefix(WHITEOUT).unwrap_or_default();
            if matches!(deleted, b"" | b"." | b"..") {
                return Err(refused(&path, "deletes a directory that it is in"));
            }
            return Ok(Some((child(&above, deleted), above, Step::Delete)));
        }
        EntryType::Directory => Step::Directory,
        EntryType::Symlink => Step::Symlink(entry.target.clone()),
        EntryType::HardLink if entry.target.starts_with(b"/") => return Err(outside()),
        EntryType::HardLink => Step::HardLink(names(&entry.target).ok_or_else(outside)?.join(&b'/')),
        EntryType::File | EntryType::Other => Step::Files,
    };
    Ok(Some((path, above, step)))
}

/// The path of `name` in the directory `above`.
fn child(above: &[u8], name: &[u8]) -> Path {
    if above.is_empty() { name.to_vec() } else { [above, name].join(&b'/') }
}

/// Whether one of the directories of `path` is a link.
fn is_below(path: &[u8], links: &BTreeSet<Path>) -> bool {
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    !links.is_empty() && slashes.into_iter().any(|(end, _)| links.contains(&path[..end]))
}

/// The links of the layers that were put on each other so far.
#[derive(Debug, Default)]
pub(super) struct Root {
    links: BTreeMap<Path, Link>,
    /// How many layers there are.
    layers: usize,
}

#[derive(Debug)]
struct Link {
    target: Vec<u8>,
    /// The layer that it is in.
    layer: usize,
}

impl Root {
    /// Puts a layer on those that are there. Refuses an entry that a link leads out of the root.
    pub(super) fn add(&mut self, layer: &LayerPaths, budget: &Budget) -> Result<(), TarError> {
        self.layers = self.layers.saturating_add(1);
        for (path, step) in &layer.0 {
            match step {
                Step::Files => {
                    let place = self.follow(path, budget)?;
                    if place != *path && self.has_own_links(&place, budget)? {
                        return Err(refused(path, OWN_LINK));
                    }
                }
                Step::Directory => {
                    let replaced = self.links.remove(&self.place(path, budget)?);
                    if replaced.is_some_and(|link| link.layer == self.layers) {
                        return Err(refused(path, OWN_LINK));
                    }
                }
                Step::Symlink(target) => self.link(self.place(path, budget)?, target.clone()),
                Step::HardLink(target) => {
                    let place = self.place(path, budget)?;
                    match self.links.get(&self.place(target, budget)?).map(|link| link.target.clone()) {
                        Some(target) => self.link(place, target),
                        None => drop(self.links.remove(&place)),
                    }
                }
                Step::Delete => {
                    let place = self.place(path, budget)?;
                    if self.links.get(&place).is_some_and(|link| link.layer < self.layers) {
                        self.links.remove(&place);
                    }
                    self.delete_below(&place, budget)?;
                }
                Step::DeleteBelow => self.delete_below(&self.follow(path, budget)?, budget)?,
            }
        }
        Ok(())
    }

    fn link(&mut self, place: Path, target: Vec<u8>) {
        self.links.insert(place, Link { target, layer: self.layers });
    }

    /// The links below `place`.
    fn below(&self, place: &[u8], budget: &Budget) -> Result<Vec<(&Path, &Link)>, TarError> {
        let start = child(place, b"");
        let links = self.links.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start));
        links.map(|link| take(&budget.lookups, 1, link.0).map(|()| link)).collect()
    }

    /// Whether the uppermost layer has a link below `place`.
    fn has_own_links(&self, place: &[u8], budget: &Budget) -> Result<bool, TarError> {
        Ok(self.below(place, budget)?.iter().any(|(_, link)| link.layer == self.layers))
    }

    /// Deletes the links that lower layers have below `place`.
    fn delete_below(&mut self, place: &[u8], budget: &Budget) -> Result<(), TarError> {
        let below = self.below(place, budget)?.into_iter();
        let old: Vec<Path> =
            below.filter(|(_, link)| link.layer < self.layers).map(|(path, _)| path.clone()).collect();
        for path in old {
            self.links.remove(&path);
        }
        Ok(())
    }

    /// Where the entry at `path` is: links on the way to it are followed, and it is not.
    fn place(&self, path: &[u8], budget: &Budget) -> Result<Path, TarError> {
        match path.iter().rposition(|byte| *byte == b'/') {
            None => Ok(path.to_vec()),
            Some(end) => {
                let above = self.follow(&path[..end], budget)?;
                Ok(child(&above, path[end..].strip_prefix(b"/").unwrap_or_default()))
            }
        }
    }

    /// Where the directory at `path` is.
    fn follow(&self, path: &[u8], budget: &Budget) -> Result<Path, TarError> {
        if self.links.is_empty() {
            return Ok(path.to_vec());
        }
        let leads_out = || refused(path, "is outside of the image's root: a link on its path leads there");
        let mut left: Vec<&[u8]> = path.rsplit(|byte| *byte == b'/').collect();
        let mut place = Path::new();
        let mut links = 0..MAX_LINKS;
        while let Some(name) = left.pop() {
            take(&budget.lookups, 1, path)?;
            match name {
                b"" | b"." => {}
                b".." if place.is_empty() => return Err(leads_out()),
                b".." => place.truncate(place.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
                name => {
                    let next = child(&place, name);
                    match self.links.get(&next) {
                        None => place = next,
                        Some(link) if link.target.starts_with(b"/") => return Err(leads_out()),
                        Some(link) => {
                            links.next().ok_or_else(leads_out)?;
                            left.extend(link.target.rsplit(|byte| *byte == b'/'));
                        }
                    }
                }
            }
        }
        Ok(place)
    }
}

fn refused(path: &[u8], reason: &str) -> TarError {
    TarError::Entry { path: format!("/{}", String::from_utf8_lossy(path)), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
