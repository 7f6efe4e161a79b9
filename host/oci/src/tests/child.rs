//! What happens to other processes: killed, out of space, in other surroundings, several at once.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use seed_model::{Codec, PackedLayer};

use super::fixture::{Fixture, pack};
use crate::StoreError;

const DIRECTORY: &str = "SEED_TEST_DIRECTORY";

/// Starts this test program again, to run [`pack_in_child`] after the shell has run `prelude`.
fn start(directory: &Path, prelude: &str) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("{prelude}\nexec \"$0\" --exact tests::child::pack_in_child --ignored --nocapture"))
        .arg(std::env::current_exe().unwrap())
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs it to its end: whether it went well, and all that it wrote.
fn run(directory: &Path, prelude: &str) -> (bool, String) {
    let output = start(directory, prelude).wait_with_output().unwrap();
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
        let (well, output) = run(&fixture.directory, prelude);
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

/// A limit on the size of files, with its signal ignored, makes writes fail as a full disk does.
#[test]
fn a_write_that_fails_is_told_and_leaves_nothing() {
    let fixture = Fixture::new();
    let (well, output) = run(&fixture.directory, "trap '' XFSZ; ulimit -f 1024");
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

#[test]
fn a_full_disk_has_a_help() {
    let full = std::io::Error::from_raw_os_error(28);
    let error = StoreError::io("write", "/cache/partial/x")(full);
    insta::assert_snapshot!(error.help().unwrap(), @"free some space, or move the cache with SEED_CACHE_DIR; nothing half-written was kept");
}
