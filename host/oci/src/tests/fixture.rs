//! A small store with everything that is odd, made anew for each test.

use std::fs;
use std::num::NonZero;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use seed_model::{Codec, Entry, EntryKind, PackedLayer};
use tempfile::TempDir;

use crate::{BlobStore, LayerSpec, Origin, PackError, PackObserver, Packer, PathSpec, nar_digest};

/// Store paths in `sources`, a blob store in `cache`.
pub(crate) struct Fixture {
    pub(crate) directory: PathBuf,
    /// Removes the directory in the end, where this process has made it.
    _made: Option<TempDir>,
}

/// Notes what it is told.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) finished: Mutex<Vec<(usize, Origin)>>,
    pub(crate) read: Mutex<u64>,
}

impl PackObserver for Notes {
    fn read(&self, _: usize, bytes: u64) {
        *self.read.lock().unwrap() += bytes;
    }

    fn finished(&self, layer: usize, _: &PackedLayer, origin: Origin) {
        self.finished.lock().unwrap().push((layer, origin));
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let made = tempfile::tempdir().unwrap();
        let directory = made.path().to_owned();
        let sources = directory.join("sources");
        fs::create_dir(&sources).unwrap();
        write_odd_tree(&sources.join("odd"));
        fs::write(sources.join("single"), "one file\n").unwrap();
        symlink("/nix/store/00000000000000000000000000000000-odd", sources.join("link")).unwrap();
        write_big_tree(&sources.join("big"));
        Self { directory, _made: Some(made) }
    }

    /// The fixture that another process has made.
    pub(crate) fn of(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), _made: None }
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.directory.join("cache")
    }

    pub(crate) fn source(&self, name: &str) -> PathBuf {
        self.directory.join("sources").join(name)
    }

    pub(crate) fn store(&self) -> BlobStore {
        BlobStore::open(&self.cache()).unwrap()
    }

    pub(crate) fn packer(&self, threads: usize) -> Packer {
        Packer::new(self.store(), NonZero::new(threads)).unwrap()
    }

    /// One of `odd`, `single`, `link` and `big` as a store path.
    pub(crate) fn path(&self, name: &str) -> PathSpec {
        let source = self.source(name);
        let (nar_hash, nar_size) = nar_digest(&source).unwrap();
        let target = format!("nix/store/00000000000000000000000000000000-{name}");
        PathSpec { store_path: format!("/{target}"), target, source, nar_hash, nar_size }
    }

    pub(crate) fn layer(&self, names: &[&str], codec: Codec) -> LayerSpec {
        LayerSpec { paths: names.iter().map(|name| self.path(name)).collect(), entries: Vec::new(), codec }
    }

    /// Two layers with all paths and some entries.
    pub(crate) fn layers(&self, codec: Codec) -> Vec<LayerSpec> {
        let mut first = self.layer(&["big", "link"], codec);
        first.entries = vec![
            entry("/tmp", EntryKind::Directory, 0o1777),
            entry("/etc/passwd", EntryKind::File(b"root:x:0:0::/:/bin/sh\n".to_vec()), 0o644),
            entry("/bin", EntryKind::Symlink("usr/bin".to_owned()), 0o777),
        ];
        vec![first, self.layer(&["odd", "single"], codec)]
    }
}

pub(crate) fn entry(path: &str, kind: EntryKind, mode: u32) -> Entry {
    Entry { path: path.to_owned(), kind, mode, uid: 0, gid: 0 }
}

/// Packs with an observer that forgets.
pub(crate) fn pack(packer: &Packer, layers: &[LayerSpec]) -> Result<Vec<PackedLayer>, PackError> {
    packer.pack(layers, &Notes::default())
}

fn write_odd_tree(root: &Path) {
    fs::create_dir_all(root.join("empty")).unwrap();
    fs::create_dir_all(root.join("a")).unwrap();
    fs::write(root.join("a/b"), "b").unwrap();
    // Sorts before `a/b` as a whole path, but after `a` in its directory.
    fs::write(root.join("a-b"), "").unwrap();
    fs::write(root.join("run"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("run"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::hard_link(root.join("run"), root.join("run-again")).unwrap();
    fs::write(root.join("grün"), [0xFF, 0, 0x80]).unwrap();
    symlink("run", root.join("relative")).unwrap();
    symlink("/etc/passwd", root.join("absolute")).unwrap();
    symlink("nowhere/grün", root.join("dangling")).unwrap();
    symlink("x/".repeat(80), root.join("far")).unwrap();
    fs::write(root.join("n".repeat(120)), "a name that needs PAX").unwrap();
    let deep = root.join("directory-with-quite-a-long-name".to_owned() + &"/another-one-below-it".repeat(3));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("fits-into-prefix-and-name"), "").unwrap();
    let deeper = deep.join("and-more-".repeat(20));
    fs::create_dir_all(&deeper).unwrap();
    fs::write(deeper.join("needs-PAX"), "").unwrap();
}

/// More than two chunks: some that compress well and some that do not.
fn write_big_tree(root: &Path) {
    fs::create_dir(root).unwrap();
    let mut state = 1_u64;
    let mut noise = Vec::with_capacity(5 << 20);
    while noise.len() < 5 << 20 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise.extend_from_slice(&state.to_be_bytes());
    }
    fs::write(root.join("noise"), noise).unwrap();
    fs::write(root.join("text"), "the same line again and again\n".repeat(170_000)).unwrap();
}
