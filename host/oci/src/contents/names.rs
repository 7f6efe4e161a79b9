//! Who owns each name of a layer.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::rc::Rc;

use crate::contents::error::ContentsError;
use crate::layer::PathSpec;
use crate::nar::{NarSink, list_tree};

/// The directories above a path, outermost first.
pub(super) fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| &path[..end])
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// A directory that others may put something into.
    Directory,
    /// Anything else: a file, a link, or a store path with all that is in it.
    Other,
}

/// The names of one layer.
#[derive(Default)]
pub(super) struct Names(BTreeMap<Vec<u8>, (Node, Rc<str>)>);

impl Names {
    /// Adds a name that nothing else may have.
    pub(super) fn add_once(&mut self, path: &[u8], node: Node, owner: &Rc<str>) -> Result<(), ContentsError> {
        match self.0.get(path) {
            Some((_, first)) => Err(conflict(path, first, owner)),
            None => self.add(path, node, owner).map(drop),
        }
    }

    /// Adds a name, unless it is a directory that is there already; says whether it was added.
    pub(super) fn add(&mut self, path: &[u8], node: Node, owner: &Rc<str>) -> Result<bool, ContentsError> {
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
    pub(super) fn add_tree(&mut self, spec: &PathSpec) -> Result<BTreeSet<Vec<u8>>, ContentsError> {
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

pub(super) fn conflict(path: &[u8], first: &str, second: &str) -> ContentsError {
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
