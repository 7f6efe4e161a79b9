//! A full disk ends a run with a clear error and leaves the caches usable.

use std::path::{Path, PathBuf};
use std::process::Command;

use seed_tests::TestEnvironment;

/// A small file system in memory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(directory: PathBuf, mebibytes: u32) -> Self {
        std::fs::create_dir_all(&directory).unwrap();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={mebibytes}m,mode=700"), "tmpfs"], &directory);
        Self(directory)
    }

    fn grow(&self, mebibytes: u32) {
        run("mount", &["-o", &format!("remount,size={mebibytes}m")], &self.0);
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn run(program: &str, args: &[&str], directory: &Path) {
    assert!(Command::new(program).args(args).arg(directory).status().unwrap().success());
}

/// An environment whose directories hold 16 MiB that do not compress.
fn large() -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    let mut state = 1_u64;
    let words = (0..2 << 20).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    environment.write("apps/srv/random", words.collect::<Vec<u8>>());
    environment
}

/// Unfinished files anywhere below: all have, or are in a directory that has, `partial` in its name.
fn leftovers(directory: &Path) -> String {
    let output =
        Command::new("find").arg(directory).args(["-type", "f", "-path", "*partial*"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn of_the_cache() {
    let mut environment = large();
    let disk = SmallDisk::mount(environment.root().join("small"), 10);
    environment.set("SEED_CACHE_DIR", &disk.0);
    let failed = environment.seed(&["run"]).failed(1);
    let message = failed.stderr.to_lowercase();
    assert!(message.contains("no space left"), "{}", failed.stderr);
    assert!(
        failed.stderr.contains(disk.0.to_str().unwrap()),
        "the error names the place:\n{}",
        failed.stderr
    );
    assert_eq!(leftovers(&disk.0), "");
    disk.grow(200);
    environment.run_json(&[]);
}

#[test]
fn of_the_output() {
    let environment = large();
    let disk = SmallDisk::mount(environment.work().join("out"), 10);
    environment.replace(
        "pipeline.toml",
        "path = \"result\", archive = \"site.tar\"",
        "path = \"out/result\"",
    );
    let failed = environment.seed(&["run"]);
    assert!(matches!(failed.code, Some(1 | 7)), "{}", failed.stderr);
    assert!(failed.stderr.to_lowercase().contains("no space left"), "{}", failed.stderr);
    assert!(!disk.0.join("result/index.json").exists(), "half an image was published");
    assert_eq!(leftovers(&disk.0), "");
    disk.grow(200);
    environment.run_json(&[]);
}
