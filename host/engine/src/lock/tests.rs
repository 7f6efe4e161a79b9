//! What a run may do about its lock.

use std::fs;

use insta::assert_snapshot;
use seed_model::Digest;

use crate::lock::check::{Lock, LockError};
use crate::lock::file::LockedPlugin;
use crate::lock::policy::Policy;
use crate::pipeline::PluginUse;
use crate::summary::LockState;
use crate::testing::{parse, rendered};

/// A pipeline with a builtin packer and a signer from a file.
fn uses(pin: &str) -> Vec<PluginUse> {
    let text = format!(
        "schema = 1\n[source]\nflake = \".\"\n[seed]\nname = \"a\"\n[[sign]]\nplugin = \"./acme.wasm\"\n{pin}\n\
         [[publish]]\nplugin = \"oci://ghcr.io/a/b:1\"\n"
    );
    parse(&text).unwrap().plugins().skip(1).cloned().collect()
}

fn locked(used: &PluginUse, content: &[u8]) -> LockedPlugin {
    LockedPlugin {
        stage: used.stage.section().to_owned(),
        reference: used.reference.get_ref().to_string(),
        name: "plugin".to_owned(),
        version: "1.0.0".to_owned(),
        world: "seed:pipeline/signer@0.1.0".to_owned(),
        sha256: Digest::of(content).hex(),
        manifest: None,
        imports: vec!["seed:pipeline/log@0.1.0".to_owned()],
        grants: Vec::new(),
    }
}

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Admits and settles, each use with its content.
    fn run(&self, policy: Policy, used: &[(&PluginUse, LockedPlugin)]) -> Result<LockState, String> {
        let run = || {
            let mut lock = Lock::open(self.0.path().join("seed.lock"), policy)?;
            for (used, plugin) in used {
                lock.admit(used, format!("sha256:{}", plugin.sha256).parse().unwrap())?;
            }
            lock.settle(used.iter().map(|(_, plugin)| plugin.clone()).collect())?;
            Ok(lock.state())
        };
        run().map_err(|error: LockError| rendered(&error).replace(self.0.path().to_str().unwrap(), "DIR"))
    }
}

#[test]
fn a_lock_is_written_and_then_kept() {
    let directory = Directory::new();
    let [pack, sign, _] = &uses("")[..] else { panic!("three uses") };
    let used = [(sign, locked(sign, b"1")), (pack, locked(pack, b"")), (sign, locked(sign, b"1"))];
    assert_eq!(directory.run(Policy::Update, &used), Ok(LockState::Created));
    assert_eq!(directory.run(Policy::Locked, &used[..2]), Ok(LockState::Unchanged));
    assert_snapshot!(fs::read_to_string(directory.0.path().join("seed.lock")).unwrap());
    assert_eq!(fs::read_dir(directory.0.path()).unwrap().count(), 1, "no temporary file is left");
    assert_eq!(directory.run(Policy::Update, &[(sign, locked(sign, b"2"))]), Ok(LockState::Updated));
}

#[test]
fn locked_runs_refuse_every_change() {
    let directory = Directory::new();
    let [pack, sign, publish] = &uses("")[..] else { panic!("three uses") };
    let pack = (pack, locked(pack, b""));
    assert_snapshot!(
        "locked_without_lock",
        directory.run(Policy::Locked, std::slice::from_ref(&pack)).unwrap_err()
    );
    directory.run(Policy::Update, &[pack.clone(), (sign, locked(sign, b"1"))]).unwrap();
    let locked_run = |used: &[_]| directory.run(Policy::Locked, used).unwrap_err();
    assert_snapshot!("locked_mismatch", locked_run(&[pack.clone(), (sign, locked(sign, b"2"))]));
    assert_snapshot!("locked_another", locked_run(&[(publish, locked(publish, b""))]));
    let mut granted = locked(sign, b"1");
    granted.grants.push("keys release".to_owned());
    assert_snapshot!("locked_changes", locked_run(&[(sign, granted)]));
}

#[test]
fn a_locked_run_never_writes() {
    let directory = Directory::new();
    let path = directory.0.path().join("seed.lock");
    let [pack, _, publish] = &uses("")[..] else { panic!("three uses") };
    let granted = |grant: &str| {
        let grants = vec![grant.to_owned()];
        (publish, LockedPlugin { grants, ..locked(publish, b"") })
    };
    let all = [(pack, locked(pack, b"")), granted("http https://a.example"), granted("write out")];
    directory.run(Policy::Update, &all).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    // One of two uses of a plugin is gone, one has other grants, one came, and all are there in other words.
    let mut errors = vec![
        directory.run(Policy::Locked, &all[..2]).unwrap_err(),
        directory.run(Policy::Locked, &[all[0].clone(), all[2].clone()]).unwrap_err(),
        directory.run(Policy::Locked, &[all[0].clone(), all[1].clone(), granted("write in")]).unwrap_err(),
        directory.run(Policy::Locked, &[&all[..], &[granted("write in")]].concat()).unwrap_err(),
    ];
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
    for edited in [written.replace("# The", "#  The"), format!("{written}\n"), written.replace('\n', "\r\n")]
    {
        fs::write(&path, &edited).unwrap();
        errors.push(directory.run(Policy::Locked, &all).unwrap_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), edited);
    }
    fs::remove_file(&path).unwrap();
    directory.run(Policy::Locked, &all).unwrap_err();
    assert!(!path.exists());
    assert_snapshot!(errors.join("\n"));
    // Without `--locked` the file is as it is written again.
    fs::write(&path, written.replace("# The", "#  The")).unwrap();
    assert_eq!(directory.run(Policy::Update, &all), Ok(LockState::Updated));
    assert_eq!(fs::read_to_string(&path).unwrap(), written);
}

#[test]
fn ci_refuses_what_is_neither_locked_nor_pinned() {
    let directory = Directory::new();
    let policy = Policy::RequireForeign;
    let [pack, sign, _] = &uses("")[..] else { panic!("three uses") };
    let pack = (pack, locked(pack, b""));
    assert_snapshot!(
        "ci_unlocked",
        directory.run(policy, &[pack.clone(), (sign, locked(sign, b"1"))]).unwrap_err()
    );
    let pinned = &uses(&format!("sha256 = \"{}\"", "a".repeat(64)))[1];
    assert_eq!(directory.run(policy, &[pack, (pinned, locked(sign, b"1"))]), Ok(LockState::Created));
    assert_eq!(
        directory.run(policy, &[(sign, locked(sign, b"1"))]),
        Ok(LockState::Updated),
        "it is locked now"
    );
    let error = directory.run(policy, &[(sign, locked(sign, b"2"))]).unwrap_err();
    assert!(error.contains("neither locked nor pinned"), "{error}");
}

#[test]
fn other_files_are_not_taken_for_locks() {
    let directory = Directory::new();
    let with = |text: &str| {
        fs::write(directory.0.path().join("seed.lock"), text).unwrap();
        directory.run(Policy::Update, &[]).unwrap_err()
    };
    assert_snapshot!("lock_newer", with("version = 2\nthings = []\n"));
    assert_snapshot!("lock_unknown_key", with("version = 1\n[[plugins]]\n"));
    assert_snapshot!("lock_syntax", with("<<<<<<< HEAD\nversion = 1\n"));
}
