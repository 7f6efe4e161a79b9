//! The NAR view of a path on disk: what Nix's archive format keeps of a tree, and its hash.
//!
//! A node is a directory, a symbolic link (its target only) or a regular file (its bytes and whether its owner may
//! execute it). Entries of a directory come in byte order of their names. Nothing else of a file system is seen:
//! no owner, time, link count or extended attribute, so neither can it reach an image.

mod error;
mod format;
mod reader;
mod sink;

#[cfg(test)]
mod tests;

use std::path::Path;

use seed_model::Digest;

pub use error::NarError;
pub(crate) use format::{put_padding, put_string};
use reader::Reader;
pub(crate) use sink::NarSink;

/// The digest and size of the NAR of the tree at `root`: what Nix calls `narHash` and `narSize`.
///
/// `root` itself may be a file or a symbolic link, which is not followed.
pub fn nar_digest(root: &Path) -> Result<(Digest, u64), NarError> {
    read_tree(root, &mut ())
}

/// Lists the tree: `sink` gets every node, files as empty ones, and no file is opened.
pub(crate) fn list_tree(root: &Path, sink: &mut dyn NarSink) -> Result<(), NarError> {
    Reader::new(root, sink, false).root()
}

/// Gives `each` the path of every node below `root`, relative to it, parents first and in byte order of the names. No
/// file is opened and no link is followed.
pub fn list_names(root: &Path, each: &mut dyn FnMut(&[u8])) -> Result<(), NarError> {
    list_tree(root, &mut Names(each))
}

/// Only the names are wanted.
struct Names<'a>(&'a mut dyn FnMut(&[u8]));

impl Names<'_> {
    fn name(&mut self, path: &[u8]) {
        if !path.is_empty() {
            (self.0)(path);
        }
    }
}

impl NarSink for Names<'_> {
    fn directory(&mut self, path: &[u8]) -> Result<(), String> {
        self.name(path);
        Ok(())
    }
    fn symlink(&mut self, path: &[u8], _: &[u8]) -> Result<(), String> {
        self.name(path);
        Ok(())
    }
    fn file(&mut self, path: &[u8], _: bool, _: u64) -> Result<(), String> {
        self.name(path);
        Ok(())
    }
}

/// Reads the tree once: gives its nodes to `sink`, and returns the digest and size of its NAR.
pub(crate) fn read_tree(root: &Path, sink: &mut dyn NarSink) -> Result<(Digest, u64), NarError> {
    let mut reader = Reader::new(root, sink, true);
    reader.root()?;
    Ok((reader.nar.hasher.finish(), reader.nar.size))
}
