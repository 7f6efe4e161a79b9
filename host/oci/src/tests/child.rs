//! What happens to other processes: killed, out of space, in other surroundings, several at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use seed_model::{Codec, File, FileContent, PackedLayer};

use super::fixture::{Fixture, pack};
use crate::files::{Target, write_directory, write_tar};
use crate::{BlobStore, StoreError};

const DIRECTORY: &str = "SEED_TEST_DIRECTORY";

/// A limit on the size of files, with its signal ignored: writes fail as on a full disk.
const FULL: &str = "trap '' XFSZ; ulimit -f 1024";

/// Starts this test program again, to run one test of this module after the shell has run `prelude`.
fn start_test(test: &str, directory: &Path, prelude: &str) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("{prelude}\nexec \"$0\" --exact tests::child::{test} --ignored --nocapture"))
        .arg(std::env::current_exe().unwrap())
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn start(directory: &Path, prelude: &str) -> Child {
    start_test("pack_in_child", directory, prelude)
}

/// Waits for a child: whether it went well, and all that it wrote.
fn end(child: Child) -> (bool, String) {
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// What a child writes about its layers.
fn lines(packed: &[PackedLayer]) -> Vec<String> {
    packed.iter().map(|layer| format!("packed {}", layer.descriptor.digest)).collect()
}

fn packed_lines(output: &str) -> Vec<&str> {
    output.lines().filter(|line| line.starts_with("packed ")).collect()
}

#[test]
#[ignore = "not a test: the others run it in a process of its own"]
#[allow(clippy::print_stdout, reason = "its output is what the parent reads")]
fn pack_in_child() {
    let directory = std::env::var_os(DIRECTORY).unwrap();
    let fixture = Fixture::of(Path::new(&directory));
    match pack(&fixture.packer(2), &fixture.layers(Codec::Zstd(3))) {
        Ok(packed) => println!("\n{}", lines(&packed).join("\n")),
        Err(error) => {
            let source = std::error::Error::source(&error).unwrap();
            println!("\nfailed: {error}: {source}");
            std::process::abort();
        }
    }
}

#[test]
fn surroundings_do_not_matter() {
    let fixture = Fixture::new();
    let expected = lines(&pack(&fixture.packer(2), &fixture.layers(Codec::Zstd(3))).unwrap());
    for prelude in [
        "umask 0",
        "umask 077; cd /",
        "export TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8",
        "export SOURCE_DATE_EPOCH=1000000000",
    ] {
        fs::remove_dir_all(fixture.cache()).unwrap();
        let (well, output) = end(start(&fixture.directory, prelude));
        assert!(well, "{output}");
        assert_eq!(packed_lines(&output), expected, "{prelude}");
    }
}

#[test]
fn a_killed_run_leaves_a_store_that_works() {
    let fixture = Fixture::new();
    let layers = fixture.layers(Codec::Zstd(3));
    let elsewhere = Fixture::of(&fixture.directory.join("elsewhere"));
    let expected = pack(&elsewhere.packer(2), &layers).unwrap();
    for milliseconds in [2, 5, 10, 15, 20, 30, 40, 60, 80, 120] {
        drop(fs::remove_dir_all(fixture.cache()));
        let mut child = start(&fixture.directory, "");
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();

        let store = fixture.store();
        assert_eq!(fs::read_dir(fixture.cache().join("partial")).unwrap().count(), 0);
        for digest in store.list().unwrap() {
            store.verify(digest).unwrap();
        }
        assert_eq!(pack(&fixture.packer(2), &layers).unwrap(), expected);
    }
}

#[test]
fn several_runs_at_once_agree() {
    let fixture = Fixture::new();
    let children: Vec<Child> = (0..4).map(|_| start(&fixture.directory, "")).collect();
    let expected = lines(&pack(&fixture.packer(2), &fixture.layers(Codec::Zstd(3))).unwrap());
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(packed_lines(&String::from_utf8(output.stdout).unwrap()), expected);
    }
    let store = fixture.store();
    for digest in store.list().unwrap() {
        store.verify(digest).unwrap();
    }
    assert_eq!(fs::read_dir(fixture.cache().join("partial")).unwrap().count(), 0);
}

#[test]
fn a_write_that_fails_is_told_and_leaves_nothing() {
    let fixture = Fixture::new();
    let (well, output) = end(start(&fixture.directory, FULL));
    assert!(!well);
    let failed = output.lines().find(|line| line.starts_with("failed: ")).unwrap_or(&output);
    let partial = fixture.cache().join("partial");
    assert!(failed.starts_with(&format!("failed: cannot write `{}/", partial.display())), "{failed}");
    assert!(failed.ends_with("File too large (os error 27)"), "{failed}");

    // The process went down without cleaning up, but nothing of the failed layer has a name.
    let store = fixture.store();
    assert_eq!(fs::read_dir(partial).unwrap().count(), 0);
    for digest in store.list().unwrap() {
        store.verify(digest).unwrap();
    }
    pack(&fixture.packer(2), &fixture.layers(Codec::Zstd(3))).unwrap();
}

/// Writes 5 MiB over and over, as a directory and as a tar.
#[test]
#[ignore = "not a test: the others run it in a process of its own"]
#[allow(clippy::print_stdout, reason = "its output is what the parent reads")]
fn write_in_child() {
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).unwrap());
    let store = BlobStore::open(&directory.join("cache")).unwrap();
    for byte in 0..99 {
        let mut files = ["marker", "index"].map(file(vec![byte])).to_vec();
        files.insert(1, file(vec![byte; 5 << 20])("large"));
        let written =
            write_directory(&store, &Target::open(&directory.join("out")).unwrap(), "marker", &files)
                .and_then(|_| write_tar(&store, &Target::open(&directory.join("out.tar")).unwrap(), &files));
        if let Err(error) = written {
            println!("\nfailed: {error}");
            std::process::abort();
        }
    }
}

fn file(content: Vec<u8>) -> impl Fn(&str) -> File {
    move |path| File { path: path.to_owned(), content: FileContent::Bytes(content.clone()) }
}

#[test]
fn output_that_cannot_be_written_leaves_the_old_one() {
    let place = tempfile::tempdir().unwrap();
    let store = BlobStore::open(&place.path().join("cache")).unwrap();
    let files = ["marker", "large", "index"].map(file(b"old".to_vec()));
    write_directory(&store, &Target::open(&place.path().join("out")).unwrap(), "marker", &files).unwrap();
    let (well, output) = end(start_test("write_in_child", place.path(), FULL));
    assert!(!well);
    let failed = format!("failed: cannot write `{}/out/large`", place.path().display());
    assert!(output.contains(&failed), "{output}");
    let mut names: Vec<_> =
        fs::read_dir(place.path().join("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".seed-directory", "index", "large", "marker"]);
    assert_eq!(fs::read_to_string(place.path().join("out/large")).unwrap(), "old");
    assert_eq!(fs::read_to_string(place.path().join("out/index")).unwrap(), "old");
}

#[test]
fn killed_output_has_whole_files_only() {
    let place = tempfile::tempdir().unwrap();
    for milliseconds in [20, 40, 60, 80, 100, 150] {
        let mut child = start_test("write_in_child", place.path(), "");
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        if let Ok(large) = fs::read(place.path().join("out/large")) {
            assert_eq!(large.len(), 5 << 20);
            assert!(large.iter().all(|byte| *byte == large[0]));
        }
        if let Ok(tar) = fs::read(place.path().join("out.tar")) {
            assert_eq!(tar.len(), (5 << 20) + 7 * 512);
        }
        let store = BlobStore::open(&place.path().join("cache")).unwrap();
        let files = ["marker", "x"].map(file(vec![b'.']));
        write_directory(&store, &Target::open(&place.path().join("out")).unwrap(), "marker", &files).unwrap();
        assert_eq!(fs::read_dir(place.path().join("out")).unwrap().count(), 3, "with the host's mark");
    }
}

#[test]
fn a_full_disk_has_a_help() {
    let full = std::io::Error::from_raw_os_error(28);
    let error = StoreError::io("write", "/cache/partial/x")(full);
    insta::assert_snapshot!(error.help().unwrap(), @"free some space, or move the cache with SEED_CACHE_DIR; incomplete files were removed");
}
