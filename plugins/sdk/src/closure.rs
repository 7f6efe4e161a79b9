//! A closure as a selector sees it: paths by index.

use std::fmt::Write as _;

use crate::graph;
pub use crate::graph::Output;

/// One store path, to make a [`Closure`] of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The absolute path, such as `/nix/store/…-hello-2.12`.
    pub store_path: String,
    /// The SHA-256 of its NAR serialisation.
    pub nar_hash: [u8; 32],
    /// The size of its NAR in bytes.
    pub nar_size: u64,
    /// The paths that it refers to, as indices, ascending. May hold its own.
    pub references: Vec<u32>,
}

/// What was built: complete (each reference is in it), and sorted by store path. Paths are named by index; the functions
/// that take one panic if it is [`len`](Closure::len) or more, which no index of the host is.
#[derive(Clone, Debug, PartialEq)]
pub struct Closure {
    data: graph::Closure,
    /// Where each path ends in `data.store_paths`.
    ends: Vec<u32>,
}

impl Closure {
    /// A closure of these paths, for tests.
    pub fn new(paths: impl IntoIterator<Item = Path>, outputs: Vec<Output>) -> Self {
        let mut data = graph::Closure {
            store_paths: String::new(),
            nar_hashes: Vec::new(),
            nar_sizes: Vec::new(),
            references: Vec::new(),
            reference_ends: Vec::new(),
            outputs,
        };
        for path in paths {
            data.store_paths.push_str(&path.store_path);
            data.store_paths.push('\n');
            data.nar_hashes.extend(path.nar_hash);
            data.nar_sizes.push(path.nar_size);
            data.references.extend(path.references);
            data.reference_ends.push(index(data.references.len()));
        }
        data.into()
    }

    /// How many paths there are.
    pub fn len(&self) -> u32 {
        index(self.ends.len())
    }

    /// Whether there is no path.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The absolute path.
    pub fn store_path(&self, path: u32) -> &str {
        let start = if path == 0 { 0 } else { self.ends[path as usize - 1] + 1 };
        &self.data.store_paths[start as usize..self.ends[path as usize] as usize]
    }

    /// All absolute paths in the order of their indices, which is sorted.
    pub fn store_paths(&self) -> impl DoubleEndedIterator<Item = &str> {
        (0..self.len()).map(|path| self.store_path(path))
    }

    /// The digest of the path's NAR serialisation: `sha256:` and 64 digits.
    pub fn nar_hash(&self, path: u32) -> String {
        let start = path as usize * 32;
        let mut text = "sha256:".to_owned();
        for byte in &self.data.nar_hashes[start..start + 32] {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The size of the path's NAR in bytes.
    pub fn nar_size(&self, path: u32) -> u64 {
        self.data.nar_sizes[path as usize]
    }

    /// The paths that a path refers to, ascending. May hold the path itself.
    pub fn references(&self, path: u32) -> &[u32] {
        let ends = &self.data.reference_ends;
        let start = if path == 0 { 0 } else { ends[path as usize - 1] };
        &self.data.references[start as usize..ends[path as usize] as usize]
    }

    /// What was built for each layer, in the order of the request.
    pub fn outputs(&self) -> &[Output] {
        &self.data.outputs
    }
}

impl From<graph::Closure> for Closure {
    fn from(data: graph::Closure) -> Self {
        let mut ends = Vec::with_capacity(data.nar_sizes.len());
        ends.extend(data.store_paths.match_indices('\n').map(|(end, _)| index(end)));
        Self { data, ends }
    }
}

/// A length or index of something that fits into the 32-bit memory of a component.
fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_by_index() {
        let path = |name: &str, references: &[u32]| Path {
            store_path: format!("/nix/store/{name}"),
            nar_hash: [0xab; 32],
            nar_size: name.len() as u64,
            references: references.to_vec(),
        };
        let closure = Closure::new([path("a", &[]), path("bb", &[0, 1]), path("c", &[1])], Vec::new());
        assert_eq!(closure.len(), 3);
        assert_eq!(
            closure.store_paths().collect::<Vec<_>>(),
            ["/nix/store/a", "/nix/store/bb", "/nix/store/c"]
        );
        assert_eq!(
            (closure.references(0), closure.references(1), closure.references(2)),
            (&[][..], &[0, 1][..], &[1][..])
        );
        assert_eq!(closure.nar_size(1), 2);
        assert_eq!(closure.nar_hash(2), format!("sha256:{}", "ab".repeat(32)));
        assert!(Closure::new([], Vec::new()).is_empty());
    }
}
