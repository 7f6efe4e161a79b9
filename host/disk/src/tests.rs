//! What happens to other processes: killed, out of space, several at once.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::cache::CacheDirectory;
use crate::directory::Directory;
use crate::file::replace;
use crate::partial::{PARTIAL, Partial, SHARED};
use crate::records::Records;
use crate::scratch::Scratch;

const DIRECTORY: &str = "SEED_TEST_DIRECTORY";

/// Starts this test program again, to run one test of this module after the shell has run `prelude`.
fn start(test: &str, directory: &Path, prelude: &str) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("{prelude}\nexec \"$0\" --exact tests::{test} --ignored --nocapture"))
        .arg(std::env::current_exe().unwrap())
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Where a child works.
fn place() -> PathBuf {
    std::env::var_os(DIRECTORY).unwrap().into()
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn mebibyte(byte: u8) -> Vec<u8> {
    vec![byte; 1 << 20]
}

/// Replaces one file and one record over and over.
#[test]
#[ignore = "not a test: the others run it in a process of its own"]
fn write_in_child() {
    let cache = CacheDirectory::open(&place().join("cache")).unwrap();
    let partial = cache.directory("partial").unwrap();
    let records = Records::open(&cache, "records", &partial).unwrap();
    for byte in (0..=255).cycle().take(1000) {
        replace(&place().join("file"), &mebibyte(byte)).unwrap();
        records.put(&[7; 32], &mebibyte(b'x')).unwrap();
    }
}

#[test]
fn a_kill_at_any_moment_leaves_whole_files_and_the_next_run_cleans_up() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    for milliseconds in [5, 10, 20, 40, 60, 80, 120] {
        let mut child = start("write_in_child", directory.path(), "");
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        if let Ok(content) = fs::read(&file) {
            assert!(content == b"next" || content == mebibyte(content[0]), "{} bytes", content.len());
        }
        replace(&file, b"next").unwrap();
        let cache = CacheDirectory::open(&directory.path().join("cache")).unwrap();
        let partial = cache.directory("partial").unwrap();
        partial.remove_abandoned("").unwrap();
        assert!(names(partial.path()).is_empty());
        let record = Records::open(&cache, "records", &partial).unwrap().get::<Vec<u8>>(&[7; 32]);
        assert!(record.is_none_or(|record| record == mebibyte(b'x')));
        assert_eq!(names(directory.path()), ["cache", "file"]);
    }
}

#[test]
fn a_write_on_a_full_disk_leaves_the_old_file_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "old").unwrap();
    // A limit on the size of files, with its signal ignored: writes fail as on a full disk.
    let child = start("write_in_child", directory.path(), "trap '' XFSZ; ulimit -f 512");
    assert!(!child.wait_with_output().unwrap().status.success());
    assert_eq!(fs::read(directory.path().join("file")).unwrap(), b"old");
    assert_eq!(names(directory.path()), ["cache", "file"]);
}

/// Holds one of each, says so, and waits to be killed.
#[test]
#[ignore = "not a test: the others run it in a process of its own"]
#[allow(clippy::print_stdout, reason = "its output is what the parent reads")]
fn hold_in_child() {
    let cache = CacheDirectory::open(&place()).unwrap();
    let mut partial = cache.partial().unwrap();
    partial.write_all(b"half").unwrap();
    let claimed = Partial::claim(cache.handle(), OsStr::new("tar")).unwrap().unwrap();
    let scratch = Scratch::make(&place(), "scratch-").unwrap();
    println!("\nready");
    thread::sleep(Duration::from_mins(1));
    drop((claimed, scratch));
}

#[test]
fn what_a_living_process_writes_is_kept_and_what_a_killed_one_wrote_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = start("hold_in_child", directory.path(), "");
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "ready"));

    let cache = CacheDirectory::open(directory.path()).unwrap();
    let held = names(directory.path());
    assert_eq!(held.len(), 3, "{held:?}");
    cache.remove_abandoned(PARTIAL).unwrap();
    drop(Scratch::make(directory.path(), "scratch-").unwrap());
    assert!(Partial::claim(cache.handle(), OsStr::new("tar")).unwrap().is_none());
    crate::partial::remove_abandoned_claim(cache.handle(), OsStr::new("tar"));
    assert_eq!(names(directory.path()), held);

    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(directory.path()), held);
    cache.remove_abandoned(PARTIAL).unwrap();
    drop(Scratch::make(directory.path(), "scratch-").unwrap());
    assert_eq!(names(directory.path()), [".tar.seed-partial"]);
    let mut claimed = Partial::claim(cache.handle(), OsStr::new("tar")).unwrap().unwrap();
    claimed.write_all(b"whole").unwrap();
    claimed.persist(cache.handle(), OsStr::new("tar")).unwrap();
    assert_eq!(names(directory.path()), ["tar"]);
    assert_eq!(fs::read(directory.path().join("tar")).unwrap(), b"whole");
}

/// Writes, under names that it takes back, and cleans up after others all the time.
#[test]
#[ignore = "not a test: the others run it in a process of its own"]
fn share_in_child() {
    let directory = Directory::open(&place()).unwrap();
    for _ in 0..500 {
        let mut partial = Partial::new(&directory, PARTIAL, SHARED).unwrap();
        partial.write_all(b"whole").unwrap();
        crate::partial::remove_abandoned(&directory, PARTIAL).unwrap();
        // It has its name still: nobody took it for an abandoned one.
        partial.persist_unsynced(&directory, OsStr::new("file")).unwrap();
    }
}

#[test]
fn processes_that_write_and_clean_up_at_once_do_not_disturb_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..3).map(|_| start("share_in_child", directory.path(), "")).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(names(directory.path()), ["file"]);
}
