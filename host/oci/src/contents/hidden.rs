//! Whether an entry would take the place of what a directory has in a layer below. Within one layer that is a conflict
//! anyway; store paths have directories of their own.

use std::collections::BTreeMap;
use std::rc::Rc;

use seed_model::EntryKind;

use crate::contents::error::ContentsError;
use crate::contents::names::{Node, conflict, parents};
use crate::layer::{LayerSpec, PathSpec};
use crate::nar::{NarSink, list_tree};

/// Refuses an entry that hides a file, link or directory whose contents go to the image's root, in a layer below. A
/// directory may be given other attributes.
pub fn check_hidden(layers: &[LayerSpec]) -> Result<(), ContentsError> {
    let mut below = Below::default();
    for layer in layers {
        for entry in &layer.entries {
            let path = entry.path.trim_start_matches('/').as_bytes();
            let may_be = |node: Node| node == Node::Directory && entry.kind == EntryKind::Directory;
            let hidden = below.0.get(path).filter(|(node, _)| !may_be(*node)).map(|found| (path, found));
            let above = || {
                let found = parents(path).filter_map(|parent| Some((parent, below.0.get(parent)?)));
                found.into_iter().find(|(_, (node, _))| *node == Node::Other)
            };
            if let Some((path, (_, owner))) = hidden.or_else(above) {
                return Err(conflict(path, owner, &format!("the entry `{}`", entry.path)));
            }
        }
        for path in layer.paths.iter().filter(|path| path.target.is_empty()) {
            below.add(path)?;
        }
    }
    Ok(())
}

/// What the layers below have at the image's root.
#[derive(Default)]
struct Below(BTreeMap<Vec<u8>, (Node, Rc<str>)>);

impl Below {
    fn add(&mut self, path: &PathSpec) -> Result<(), ContentsError> {
        let owner = path.store_path.as_str().into();
        Ok(list_tree(&path.source, &mut Listing { below: self, owner })?)
    }
}

struct Listing<'a> {
    below: &'a mut Below,
    owner: Rc<str>,
}

impl Listing<'_> {
    fn add(&mut self, path: &[u8], node: Node) {
        self.below.0.insert(path.to_vec(), (node, Rc::clone(&self.owner)));
    }
}

impl NarSink for Listing<'_> {
    fn directory(&mut self, path: &[u8]) -> Result<(), String> {
        self.add(path, Node::Directory);
        Ok(())
    }
    fn symlink(&mut self, path: &[u8], _: &[u8]) -> Result<(), String> {
        self.add(path, Node::Other);
        Ok(())
    }
    fn file(&mut self, path: &[u8], _: bool, _: u64) -> Result<(), String> {
        self.add(path, Node::Other);
        Ok(())
    }
}
