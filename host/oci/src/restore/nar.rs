//! Writes a NAR, Nix's archive format, node by node.

use std::io::{self, Write};

use seed_model::{Digest, Hasher};

use crate::location::TarError;
use crate::nar::{put_padding, put_string};

/// What stands at a place of a tree.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node<'a> {
    Directory,
    /// A link and its target.
    Symlink(&'a [u8]),
    /// A file; so many bytes follow.
    File {
        executable: bool,
        size: u64,
    },
}

/// A directory that more entries may follow in.
#[derive(Debug)]
struct Open {
    /// Its name in the directory above; empty for the root.
    name: Vec<u8>,
    /// The last name in it so far.
    last: Vec<u8>,
}

/// Writes one NAR, of at most so many bytes. Nodes come as they stand in a NAR: parents first, names of a directory in
/// byte order.
#[derive(Debug)]
pub(super) struct NarWriter<W> {
    out: W,
    hasher: Hasher,
    size: u64,
    limit: u64,
    /// The directories around the next node, from the root on.
    open: Vec<Open>,
    has_root: bool,
}

impl<W: Write> NarWriter<W> {
    pub(super) fn new(out: W, limit: u64) -> Result<Self, TarError> {
        let mut nar = Self { out, hasher: Hasher::new(), size: 0, limit, open: Vec::new(), has_root: false };
        nar.string(b"nix-archive-1")?;
        Ok(nar)
    }

    /// The next node. `path` is that in the tree, and empty for its root.
    pub(super) fn node(&mut self, path: &[&[u8]], node: Node<'_>) -> Result<(), TarError> {
        let Some((name, above)) = path.split_last() else {
            if std::mem::replace(&mut self.has_root, true) {
                return Err(unordered(path));
            }
            return self.body(b"", node);
        };
        while self.open.len() > above.len().saturating_add(1) {
            self.close()?;
        }
        let is_above = self.open.len() == path.len()
            && self.open.iter().skip(1).zip(above).all(|(open, part)| open.name == *part);
        let Some(directory) = self.open.last_mut().filter(|directory| is_above && **name > *directory.last)
        else {
            return Err(unordered(path));
        };
        if matches!(*name, b"" | b"." | b"..") {
            return Err(unordered(path));
        }
        directory.last = name.to_vec();
        self.strings(&[b"entry", b"(", b"name", name, b"node"])?;
        self.body(name, node)
    }

    /// The next bytes of the file that was the last node.
    pub(super) fn contents(&mut self, bytes: &[u8]) -> Result<(), TarError> {
        self.put(bytes).map_err(TarError::from)
    }

    /// The end of that file, which had `size` bytes.
    pub(super) fn file_end(&mut self, size: u64) -> Result<(), TarError> {
        put_padding(size, |bytes| self.put(bytes))?;
        self.node_end()
    }

    /// Writes the end; gives the digest and size of the NAR.
    pub(super) fn finish(mut self) -> Result<(Digest, u64), TarError> {
        while !self.open.is_empty() {
            self.close()?;
        }
        self.out.flush()?;
        Ok((self.hasher.finish(), self.size))
    }

    fn body(&mut self, name: &[u8], node: Node<'_>) -> Result<(), TarError> {
        self.strings(&[b"(", b"type"])?;
        match node {
            Node::Directory => {
                self.string(b"directory")?;
                self.open.push(Open { name: name.to_vec(), last: Vec::new() });
                Ok(())
            }
            Node::Symlink(target) => {
                self.strings(&[b"symlink", b"target", target])?;
                self.node_end()
            }
            Node::File { executable, size } => {
                self.string(b"regular")?;
                if executable {
                    self.strings(&[b"executable", b""])?;
                }
                self.string(b"contents")?;
                self.put(&size.to_le_bytes())?;
                Ok(())
            }
        }
    }

    /// The end of the innermost directory.
    fn close(&mut self) -> Result<(), TarError> {
        self.open.pop();
        self.node_end()
    }

    fn node_end(&mut self) -> Result<(), TarError> {
        self.string(b")")?;
        // An entry of a directory has brackets of its own.
        if self.open.is_empty() { Ok(()) } else { self.string(b")") }
    }

    fn strings(&mut self, texts: &[&[u8]]) -> Result<(), TarError> {
        texts.iter().try_for_each(|text| self.string(text))
    }

    fn string(&mut self, text: &[u8]) -> Result<(), TarError> {
        Ok(put_string(text, |bytes| self.put(bytes))?)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > self.limit {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a store path is larger than its registration says",
            ));
        }
        self.hasher.update(bytes);
        self.out.write_all(bytes)
    }
}

fn unordered(path: &[&[u8]]) -> TarError {
    TarError::Entry {
        path: String::from_utf8_lossy(&path.join(&b'/')).into_owned(),
        reason: "is not in NAR order: directories first, and names in byte order".to_owned(),
    }
}
