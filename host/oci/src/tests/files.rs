//! Files that are written for the user: what is replaced, what is kept, what is refused.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use seed_model::{File, FileContent, Written};
use tempfile::TempDir;

use crate::BlobStore;
use crate::files::{FilesError, Target, write_directory, write_tar};

const MARKER: &str = "marker";

struct Place {
    directory: TempDir,
    store: BlobStore,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = BlobStore::open(&directory.path().join("cache")).unwrap();
        Self { directory, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn blob(&self, path: &str, content: &str) -> File {
        let digest = self.store.put(content.as_bytes()).unwrap();
        File { path: path.to_owned(), content: FileContent::Blob(digest) }
    }

    fn write(&self, files: &[File]) -> Result<Written, FilesError> {
        write_directory(&self.store, &Target::open(&self.path("out"))?, MARKER, files)
    }

    /// The message of an error, with `[dir]` for the temporary directory.
    fn message<T: std::fmt::Debug>(&self, result: Result<T, FilesError>) -> String {
        result.unwrap_err().to_string().replace(self.directory.path().to_str().unwrap(), "[dir]")
    }
}

fn make_tar(store: &BlobStore, path: &Path, files: &[File]) -> Result<Written, FilesError> {
    write_tar(store, &Target::open(path)?, files)
}

fn bytes(path: &str, content: &str) -> File {
    File { path: path.to_owned(), content: FileContent::Bytes(content.as_bytes().to_vec()) }
}

/// The file by which the host knows its own directories.
const OWN: &str = ".seed-directory";

/// All files below a directory but the host's own: path and content, sorted.
fn tree(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = vec![root.to_owned()];
    while let Some(path) = rest.pop() {
        if path.is_dir() && !path.is_symlink() {
            rest.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    found.retain(|(name, _)| name != OWN);
    found.sort();
    found
}

fn expected(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

#[test]
fn a_directory_has_exactly_the_files() {
    let place = Place::new();
    let out = place.path("out");
    let first =
        [bytes(MARKER, "m"), place.blob("blobs/a", "aa"), place.blob("blobs/b", "b"), bytes("index", "1")];
    assert_eq!(place.write(&first).unwrap(), Written { files: 4, unchanged: 0, bytes: 5 });
    assert_eq!(place.write(&first).unwrap(), Written { files: 0, unchanged: 4, bytes: 0 });

    let second =
        [bytes(MARKER, "m"), place.blob("blobs/a", "AA"), place.blob("c/d/e", "e"), bytes("index", "2")];
    fs::create_dir_all(out.join("old/deep")).unwrap();
    fs::write(out.join("old/deep/file"), "").unwrap();
    // Not a directory of the machine: if this goes wrong, it is gone.
    let outside = place.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "p").unwrap();
    symlink(&outside, out.join("link")).unwrap();
    fs::write(out.join(".index.seed-partial"), "half").unwrap();
    assert_eq!(place.write(&second).unwrap(), Written { files: 3, unchanged: 1, bytes: 4 });
    assert_eq!(tree(&out), expected(&[("blobs/a", "AA"), ("c/d/e", "e"), ("index", "2"), (MARKER, "m")]));
    assert!(!out.join("old").exists());
    assert_eq!(tree(&outside), expected(&[("precious", "p")]));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let place = Place::new();
    let out = place.path("out");
    let files = [bytes(MARKER, "m"), bytes("a", "a")];

    fs::create_dir(&out).unwrap();
    fs::write(out.join("precious"), "p").unwrap();
    insta::assert_snapshot!(place.message(place.write(&files)), @"will not overwrite `[dir]/out`: the directory is not empty, and `seed` did not make it");
    // Whoever chooses the marker may choose the name of a file that is there.
    let named = [bytes("precious", "p")];
    let written = write_directory(&place.store, &Target::open(&out).unwrap(), "precious", &named);
    assert!(matches!(written, Err(FilesError::NotOurs { .. })));
    assert_eq!(tree(&out), expected(&[("precious", "p")]));

    // Nor does anything else make it ours that has the name of the host's mark.
    fs::create_dir(out.join(OWN)).unwrap();
    assert!(matches!(place.write(&files), Err(FilesError::NotOurs { .. })));
    fs::remove_dir(out.join(OWN)).unwrap();
    symlink("precious", out.join(OWN)).unwrap();
    assert!(matches!(place.write(&files), Err(FilesError::NotOurs { .. })));
    fs::remove_file(out.join(OWN)).unwrap();
    fs::write(out.join(OWN), "").unwrap();
    insta::assert_snapshot!(place.message(place.write(&files)), @"will not overwrite `[dir]/out`: `seed` made the directory for something else");
    assert_eq!(fs::read_to_string(out.join("precious")).unwrap(), "p");

    fs::remove_dir_all(&out).unwrap();
    fs::write(&out, "file").unwrap();
    insta::assert_snapshot!(place.message(place.write(&files)), @"will not overwrite `[dir]/out`: it is a file");

    fs::remove_file(&out).unwrap();
    fs::create_dir(place.path("elsewhere")).unwrap();
    symlink("elsewhere", &out).unwrap();
    insta::assert_snapshot!(place.message(place.write(&files)), @"will not overwrite `[dir]/out`: it is a symbolic link");
    assert_eq!(tree(&place.path("elsewhere")), []);
}

#[test]
fn a_directory_of_another_kind_is_left_alone() {
    let place = Place::new();
    place.write(&[bytes(MARKER, "m"), bytes("other", "o")]).unwrap();
    let written = write_directory(
        &place.store,
        &Target::open(&place.path("out")).unwrap(),
        "other",
        &[bytes("other", "")],
    );
    insta::assert_snapshot!(place.message(written), @"will not overwrite `[dir]/out`: `seed` made the directory for something else");
    assert_eq!(tree(&place.path("out")), expected(&[(MARKER, "m"), ("other", "o")]));
}

#[test]
fn the_hosts_mark_is_the_hosts() {
    let place = Place::new();
    for path in [OWN, ".SEED-Directory", ".seed-directory/x"] {
        let message = place.message(place.write(&[bytes(MARKER, "m"), bytes(path, "")]));
        assert!(message.contains("reserved"), "{message}");
    }
    place.write(&[bytes(MARKER, "m"), bytes("below/.seed-directory", "")]).unwrap();
    let mark = fs::read_to_string(place.path("out").join(OWN)).unwrap();
    insta::assert_snapshot!(mark, @"`seed` made this directory (marker) and replaces everything in it.");
}

#[test]
fn a_run_that_was_killed_is_no_obstacle() {
    let place = Place::new();
    fs::create_dir(place.path("out")).unwrap();
    fs::write(place.path("out/..seed-directory.seed-partial"), "half of").unwrap();
    place.write(&[bytes("a", "a"), bytes(MARKER, "m")]).unwrap();
    assert_eq!(tree(&place.path("out")), expected(&[("a", "a"), (MARKER, "m")]));
    // The mark is there before all else.
    fs::remove_file(place.path("out").join(MARKER)).unwrap();
    place.write(&[bytes("b", "b"), bytes(MARKER, "m")]).unwrap();
    assert_eq!(tree(&place.path("out")), expected(&[("b", "b"), (MARKER, "m")]));
}

#[test]
fn paths_stay_below_the_directory() {
    let place = Place::new();
    let mut messages = Vec::new();
    let absolute = place.path("x");
    for path in
        ["", absolute.to_str().unwrap(), "../x", "a/../../x", "./a", "a//b", "a/", "a\0b", ".a.seed-partial"]
    {
        let result = place.write(&[bytes(MARKER, "m"), bytes(path, "x")]);
        messages.push(place.message(result));
    }
    messages.push(place.message(place.write(&[bytes(MARKER, "m"), bytes("a", ""), bytes("a", "")])));
    messages.push(place.message(place.write(&[bytes(MARKER, "m"), bytes("a", ""), bytes("a/b", "")])));
    messages.push(place.message(place.write(&[bytes("a", "")])));
    messages.push(place.message(make_tar(&place.store, &place.path("t"), &[bytes("../x", "")])));
    messages.push(place.message(make_tar(&place.store, &place.path(".."), &[bytes("x", "")])));
    insta::assert_snapshot!(messages.join("\n"), @r#"
    cannot write to ``: it must be a relative path of plain names separated by `/`
    cannot write to `[dir]/x`: it must be a relative path of plain names separated by `/`
    cannot write to `../x`: it must be a relative path of plain names separated by `/`
    cannot write to `a/../../x`: it must be a relative path of plain names separated by `/`
    cannot write to `./a`: it must be a relative path of plain names separated by `/`
    cannot write to `a//b`: it must be a relative path of plain names separated by `/`
    cannot write to `a/`: it must be a relative path of plain names separated by `/`
    cannot write to `a\0b`: it must be a relative path of plain names separated by `/`
    cannot write to `.a.seed-partial`: this file extension is reserved for temporary files
    cannot write to `a`: the list has it twice
    cannot write to `a`: it is the directory of another file in the list
    cannot write to `marker`: the marker is not among the files
    cannot write to `../x`: it must be a relative path of plain names separated by `/`
    cannot write to `[dir]/..`: it does not end with a file name
    "#);
    assert!(!place.path("out").exists());
}

#[test]
fn links_inside_lead_nowhere() {
    let place = Place::new();
    let files = [bytes(MARKER, "m"), bytes("dir/file", "new"), bytes("other", "new")];
    place.write(&files).unwrap();
    let outside = place.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("file"), "precious").unwrap();
    fs::remove_dir_all(place.path("out/dir")).unwrap();
    symlink(&outside, place.path("out/dir")).unwrap();
    fs::remove_file(place.path("out/other")).unwrap();
    symlink(outside.join("file"), place.path("out/other")).unwrap();

    assert_eq!(place.write(&files).unwrap(), Written { files: 2, unchanged: 1, bytes: 6 });
    assert_eq!(tree(&place.path("out")), expected(&[("dir/file", "new"), (MARKER, "m"), ("other", "new")]));
    assert_eq!(tree(&outside), expected(&[("file", "precious")]));
}

#[test]
fn a_file_takes_the_place_of_a_directory_and_back() {
    let place = Place::new();
    place.write(&[bytes(MARKER, "m"), bytes("x/y", "1")]).unwrap();
    place.write(&[bytes(MARKER, "m"), bytes("x", "2")]).unwrap();
    assert_eq!(tree(&place.path("out")), expected(&[(MARKER, "m"), ("x", "2")]));
    place.write(&[bytes(MARKER, "m"), bytes("x/y", "3")]).unwrap();
    assert_eq!(tree(&place.path("out")), expected(&[(MARKER, "m"), ("x/y", "3")]));
}

#[test]
fn damaged_blobs_do_not_get_out() {
    let place = Place::new();
    let files = [bytes(MARKER, "m"), place.blob("blob", "content")];
    place.write(&files).unwrap();
    make_tar(&place.store, &place.path("tar"), &files).unwrap();
    let tar = fs::read(place.path("tar")).unwrap();
    let digest = place.store.list().unwrap()[0];
    fs::write(place.store.path(digest), "c0ntent").unwrap();
    assert!(place.message(place.write(&files)).contains("is damaged: its content has the digest sha256:"));
    assert!(!place.store.path(digest).exists(), "it would be found again");
    fs::write(place.store.path(digest), "c0ntent").unwrap();
    assert!(place.message(make_tar(&place.store, &place.path("tar"), &files)).contains("is damaged"));
    assert_eq!(tree(&place.path("out")), expected(&[("blob", "content"), (MARKER, "m")]));
    assert_eq!(fs::read(place.path("tar")).unwrap(), tar);
    assert!(place.message(place.write(&files)).contains("is not in the store"));
}

#[test]
fn two_writers_do_not_mix() {
    let place = Place::new();
    let files = [bytes(MARKER, "m")];
    place.write(&files).unwrap();
    let held = fs::File::open(place.path("out")).unwrap();
    held.lock().unwrap();
    insta::assert_snapshot!(place.message(place.write(&files)), @"another process is writing to `[dir]/out`");
    let busy = FilesError::Busy { path: place.path("out") };
    insta::assert_snapshot!(busy.help().unwrap(), @"run again after it exits, or use another path for each concurrent run");

    let held = fs::File::create(place.path(".tar.seed-partial")).unwrap();
    held.lock().unwrap();
    insta::assert_snapshot!(place.message(make_tar(&place.store, &place.path("tar"), &files)), @"another process is writing to `[dir]/tar`");
    drop(held);
    make_tar(&place.store, &place.path("tar"), &files).unwrap();
    assert!(!place.path(".tar.seed-partial").exists());
}

#[test]
fn a_tar_has_the_files_in_their_order() {
    let place = Place::new();
    let path = place.path("new/directory/x.tar");
    let files = [bytes("z", "last name first"), place.blob("a/b", "blob")];
    let written = make_tar(&place.store, &path, &files).unwrap();
    assert_eq!(written, Written { files: 1, unchanged: 0, bytes: 6 * 512 });
    let content = fs::read(&path).unwrap();
    let mut archive = tar::Archive::new(&content[..]);
    let entries: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            (name, header.mode().unwrap(), header.uid().unwrap(), header.mtime().unwrap())
        })
        .collect();
    assert_eq!(entries, [("z".to_owned(), 0o644, 0, 1), ("a/b".to_owned(), 0o644, 0, 1)]);

    assert_eq!(make_tar(&place.store, &path, &files).unwrap(), Written { files: 0, unchanged: 1, bytes: 0 });
    for other in [[&content[..], b"more"].concat(), content[..content.len() - 1].to_vec(), Vec::new()] {
        fs::write(&path, other).unwrap();
        assert_eq!(make_tar(&place.store, &path, &files).unwrap(), written);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    let long = [bytes(&"long/".repeat(60), "")].map(|file| File { path: file.path + "name", ..file });
    make_tar(&place.store, &path, &long).unwrap();
    assert_eq!(make_tar(&place.store, &path, &files).unwrap(), written, "its first header is a PAX header");
    fs::remove_file(&path).unwrap();
    let outside = place.path("outside");
    fs::write(&outside, "precious").unwrap();
    symlink(&outside, &path).unwrap();
    assert_eq!(make_tar(&place.store, &path, &files).unwrap(), written);
    assert_eq!(fs::read_to_string(&outside).unwrap(), "precious");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    insta::assert_snapshot!(place.message(make_tar(&place.store, &path, &files)), @"will not overwrite `[dir]/new/directory/x.tar`: it is a directory");
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let place = Place::new();
    let path = place.path("notes.tar");
    let files = [bytes("a", "a")];
    let mut foreign = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(1);
    header.set_mode(0o644);
    foreign.append_data(&mut header, "a", &b"a"[..]).unwrap();
    for precious in [b"precious".to_vec(), vec![0; 4096], foreign.into_inner().unwrap()] {
        fs::write(&path, &precious).unwrap();
        let message = place.message(make_tar(&place.store, &path, &files));
        insta::allow_duplicates! {
            insta::assert_snapshot!(message, @"will not overwrite `[dir]/notes.tar`: `seed` did not write the file");
        }
        assert_eq!(fs::read(&path).unwrap(), precious);
    }
}
