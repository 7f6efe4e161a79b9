//! Contents of the image's root, entries, and names that two inputs want.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;

use seed_model::{Codec, EntryKind};
use tempfile::TempDir;

use super::fixture::{Fixture, entry};
use crate::{LayerSpec, PathSpec, check_hidden, nar_digest, share_directories};

/// A directory with these files (or, ending in `/`, directories) whose contents go to the image's root.
fn tree(directory: &TempDir, name: &str, files: &[&str]) -> PathSpec {
    let source = directory.path().join(name);
    for file in files {
        let path = source.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if file.ends_with('/') { fs::create_dir_all(path).unwrap() } else { fs::write(path, name).unwrap() }
    }
    root_path(&source, name)
}

fn root_path(source: &Path, name: &str) -> PathSpec {
    let (nar_hash, nar_size) = nar_digest(source).unwrap();
    PathSpec {
        store_path: format!("/{name}"),
        target: String::new(),
        source: source.to_owned(),
        nar_hash,
        nar_size,
    }
}

fn layer(paths: Vec<PathSpec>) -> LayerSpec {
    LayerSpec { paths, entries: Vec::new(), codec: Codec::None }
}

/// The names and modes in the tar of a layer, or why there is none.
fn names(layer: &LayerSpec) -> Result<Vec<String>, String> {
    let fixture = Fixture::of(&tempfile::tempdir().unwrap().path().join("x"));
    let mut bytes = Vec::new();
    fixture.packer(1).open_tar(layer.clone()).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let mut archive = tar::Archive::new(&bytes[..]);
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        format!("{:o} {}", entry.header().mode().unwrap(), entry.path().unwrap().display())
    });
    Ok(entries.collect())
}

#[test]
fn directories_of_several_trees_merge() {
    let directory = tempfile::tempdir().unwrap();
    let one = tree(&directory, "one", &["bin/one", "share/x", "empty/"]);
    let two = tree(&directory, "two", &["bin/two", "lib/y"]);
    insta::assert_debug_snapshot!(names(&layer(vec![one, two])).unwrap(), @r#"
    [
        "555 bin/",
        "444 bin/one",
        "555 empty/",
        "555 share/",
        "444 share/x",
        "444 bin/two",
        "555 lib/",
        "444 lib/y",
    ]
    "#);
}

#[test]
fn a_declared_directory_takes_the_place_of_one_in_a_tree() {
    let directory = tempfile::tempdir().unwrap();
    let mut layer = layer(vec![tree(&directory, "one", &["tmp/file", "var/x"])]);
    layer.entries.push(entry("/tmp", EntryKind::Directory, 0o1777));
    layer.entries.push(entry("/var/run/lock", EntryKind::Symlink("/run/lock".to_owned()), 0o777));
    insta::assert_debug_snapshot!(names(&layer).unwrap(), @r#"
    [
        "1777 tmp/",
        "755 var/",
        "755 var/run/",
        "444 tmp/file",
        "444 var/x",
        "777 var/run/lock",
    ]
    "#);
}

#[test]
fn one_name_from_two_inputs_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let one = tree(&directory, "one", &["bin/tool", "etc/conf"]);
    let two = tree(&directory, "two", &["bin/tool"]);
    let file = tree(&directory, "three", &["bin"]);
    let store = PathSpec { target: "nix/store/x".to_owned(), ..two.clone() };
    let inside =
        PathSpec { target: "nix/store/x/y".to_owned(), store_path: "/inside".to_owned(), ..one.clone() };
    let covers = tree(&directory, "four", &["nix/store/x/file"]);
    let link = directory.path().join("five");
    fs::create_dir(&link).unwrap();
    symlink(directory.path().join("one"), link.join("nix")).unwrap();
    let link = root_path(&link, "five");

    let mut errors = Vec::new();
    for paths in [
        vec![one.clone(), two],
        vec![one.clone(), file.clone()],
        vec![file, one.clone()],
        vec![store.clone(), inside.clone()],
        vec![inside, store.clone()],
        vec![store.clone(), store.clone()],
        vec![store.clone(), covers],
        vec![store, link],
    ] {
        errors.push(names(&layer(paths)).unwrap_err());
    }
    for path in ["/etc/conf", "/etc", "/etc/conf/below"] {
        let mut layer = layer(vec![one.clone()]);
        layer.entries.push(entry(path, EntryKind::File(Vec::new()), 0o644));
        errors.push(names(&layer).unwrap_err());
    }
    insta::assert_snapshot!(errors.join("\n"), @"
    both /one and /two contain `/bin/tool`
    both /one and /three contain `/bin`
    both /three and /one contain `/bin`
    both /two and /inside contain `/nix/store/x`
    both /two and /inside contain `/nix/store/x`
    both /two and /two contain `/nix/store/x`
    both /two and /four contain `/nix/store/x`
    both the directories above other entries and /five contain `/nix`
    both the entry `/etc/conf` and /one contain `/etc/conf`
    both the entry `/etc` and /one contain `/etc`
    both the directories above other entries and /one contain `/etc/conf`
    ");
}

#[test]
fn names_that_cannot_be_in_an_image_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let mut errors = Vec::new();
    for path in
        ["etc", "/", "/a//b", "/a/../b", "/./a", "/a/", "/a/.wh.b", "/\0", &format!("/{}", "a/".repeat(2100))]
    {
        let mut layer = layer(Vec::new());
        layer.entries.push(entry(path, EntryKind::Directory, 0o755));
        errors.push(names(&layer).unwrap_err().replace(&"a/".repeat(2099), "[long]"));
    }
    let whiteout = tree(&directory, "one", &["lib/.wh.gone"]);
    errors.push(
        names(&layer(vec![whiteout])).unwrap_err().replace(directory.path().to_str().unwrap(), "[dir]"),
    );
    fs::write(directory.path().join("file"), "").unwrap();
    let file = root_path(&directory.path().join("file"), "file");
    errors.push(names(&layer(vec![file])).unwrap_err().replace(directory.path().to_str().unwrap(), "[dir]"));
    insta::assert_snapshot!(errors.join("\n"), @r#"
    an entry has an invalid path `etc`: it must begin with `/`
    an entry has an invalid path `/`: the root directory has no entry of its own
    an entry has an invalid path `a//b`: it has an empty component
    an entry has an invalid path `a/../b`: it has a `.` or `..`
    an entry has an invalid path `./a`: it has a `.` or `..`
    an entry has an invalid path `a/`: it has an empty component
    an entry has an invalid path `a/.wh.b`: container engines read a name with `.wh.` as a deletion
    an entry has an invalid path `\0`: it contains a NUL
    an entry has an invalid path `[long]a/`: it has more than 4096 bytes
    cannot pack `[dir]/one/lib/.wh.gone`: container engines read a name with `.wh.` as the deletion of another file
    cannot pack `[dir]/file`: only a directory can provide the contents of the image's root
    "#);
}

#[test]
fn a_declared_directory_is_the_same_in_every_layer() {
    let mut layers = [layer(Vec::new()), layer(Vec::new())];
    layers[0].entries.push(entry("/tmp", EntryKind::Directory, 0o1777));
    layers[1].entries.push(entry("/tmp/a/b", EntryKind::File(Vec::new()), 0o600));
    share_directories(&mut layers);
    assert_eq!(names(&layers[0]).unwrap(), ["1777 tmp/"]);
    assert_eq!(names(&layers[1]).unwrap(), ["1777 tmp/", "755 tmp/a/", "600 tmp/a/b"]);
}

#[test]
fn an_entry_hides_nothing_of_a_layer_below() {
    let directory = tempfile::tempdir().unwrap();
    let below = tree(&directory, "one", &["etc/passwd", "usr/bin/site", "var/"]);
    symlink("usr/bin", directory.path().join("one/bin")).unwrap();
    let check = |entries: Vec<seed_model::Entry>| {
        let above = LayerSpec { paths: Vec::new(), entries, codec: Codec::None };
        let checked =
            check_hidden(&[layer(vec![below.clone()]), above.clone()]).map_err(|error| error.to_string());
        assert_eq!(
            check_hidden(&[above, layer(vec![below.clone()])]).ok(),
            Some(()),
            "the directory is on top"
        );
        checked
    };
    let file = |path: &str| entry(path, EntryKind::File(Vec::new()), 0o644);
    assert_eq!(check(vec![file("/etc/group"), entry("/var", EntryKind::Directory, 0o700)]), Ok(()));
    let errors = [
        check(vec![file("/etc/passwd")]).unwrap_err(),
        check(vec![entry("/etc/passwd", EntryKind::Directory, 0o755)]).unwrap_err(),
        check(vec![file("/var")]).unwrap_err(),
        check(vec![entry("/usr", EntryKind::Symlink("/tmp".to_owned()), 0o777)]).unwrap_err(),
        check(vec![file("/bin/site")]).unwrap_err(),
        check(vec![file("/etc/passwd/x")]).unwrap_err(),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}
