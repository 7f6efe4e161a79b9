//! Compares what a run uses with what is locked.

use std::path::PathBuf;

use miette::Diagnostic;
use seed_model::{Digest, Stage};
use seed_report::{Kind, Problems, Report};
use toml::Spanned;

use crate::lock::changes::{changes, mismatch, not_locked, other_bytes};
use crate::lock::file::{LockFile, LockFileError, LockedPlugin};
use crate::lock::policy::Policy;
use crate::lock::seeds::LockedSeeds;
use crate::pipeline::{PluginReference, PluginUse};
use crate::summary::LockState;

/// Why a run is refused because of its lock.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum LockError {
    /// There is none.
    #[error("`--locked` requires {}, which does not exist", path.display())]
    #[diagnostic(code("seed::lock::missing"), help("run once without `--locked`, then commit the file"))]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] LockFileError),
    /// It says something else.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Changed(#[from] Problems),
    /// It does not name a plugin, and in CI it must.
    #[error("`{plugin}` is neither locked nor pinned, and `CI` is set")]
    #[diagnostic(code("seed::lock::unlocked"))]
    Unlocked {
        /// The plugin as the pipeline file names it.
        plugin: String,
        #[help]
        help: String,
    },
}

impl Report for LockError {
    fn kind(&self) -> Kind {
        match self {
            Self::File(error) => error.kind(),
            Self::Missing { .. } | Self::Changed(_) | Self::Unlocked { .. } => Kind::Pin,
        }
    }
}

/// The lock of one run.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    policy: Policy,
    file: Option<LockFile>,
    state: LockState,
}

impl Lock {
    /// Reads the lock at `path`, if there is one; with [`Policy::Locked`] there must be.
    pub(crate) fn open(path: PathBuf, policy: Policy) -> Result<Self, LockError> {
        match LockFile::load(&path)? {
            None if policy == Policy::Locked => Err(LockError::Missing { path }),
            file => Ok(Self { path, policy, file, state: LockState::Unchanged }),
        }
    }

    /// The locked digest of the manifest of a plugin from a registry.
    pub(crate) fn manifest(&self, stage: Stage, reference: &PluginReference) -> Option<Digest> {
        self.entry(stage, reference)?.get_ref().manifest
    }

    /// Whether these bytes may be used, before anything runs them.
    pub(crate) fn admit(&self, used: &PluginUse, digest: Digest) -> Result<(), LockError> {
        let reference = used.reference.get_ref();
        let locked = self.entry(used.stage, reference);
        if locked.is_some_and(|locked| locked.get_ref().sha256 == digest.hex()) {
            return Ok(());
        }
        match (self.policy, &self.file) {
            (Policy::Locked, Some(lock)) => {
                let problem = match locked {
                    Some(locked) => mismatch(lock, locked, &digest.hex()),
                    None => not_locked(lock, used.stage.section(), &reference.to_string()),
                };
                Ok(Problems::check(&lock.file, vec![problem])?)
            }
            (Policy::RequireForeign, _)
                if !matches!(reference, PluginReference::Builtin(_)) && used.pin.is_none() =>
            {
                Err(LockError::Unlocked {
                    plugin: reference.to_string(),
                    help: format!(
                        "run `seed run` outside CI and commit {}, or pin the plugin in [{}]:\n\nsha256 = \"{}\"",
                        self.path.display(),
                        used.stage.section(),
                        digest.hex()
                    ),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether this run may write it.
    pub(crate) fn is_kept(&self) -> bool {
        self.policy == Policy::Locked
    }

    /// What was published before this run.
    pub(crate) fn seeds(&self) -> LockedSeeds {
        self.file.as_ref().map(|lock| lock.seeds.clone()).unwrap_or_default()
    }

    /// What this run did to it so far.
    pub(crate) fn state(&self) -> LockState {
        self.state
    }

    /// Makes the lock say which plugins were used, or refuses.
    pub(crate) fn settle(&mut self, used: Vec<LockedPlugin>) -> Result<(), LockError> {
        let seeds = self.seeds();
        self.replace(used, &seeds)
    }

    /// Makes the lock say what was published with the plugins `used`. With [`Policy::Locked`] it stays as it is: digests
    /// change with the sources, so that they differ is no error.
    pub(crate) fn publish(&mut self, used: Vec<LockedPlugin>, seeds: &LockedSeeds) -> Result<(), LockError> {
        if self.is_kept() { Ok(()) } else { self.replace(used, seeds) }
    }

    /// Writes the lock, unless it has these very bytes already. With [`Policy::Locked`], other bytes are an error, whatever
    /// the difference means.
    fn replace(&mut self, mut used: Vec<LockedPlugin>, seeds: &LockedSeeds) -> Result<(), LockError> {
        used.sort();
        used.dedup();
        let text = LockFile::text(&used, seeds);
        match &self.file {
            Some(lock) if *lock.file.text == *text => return Ok(()),
            Some(lock) if self.is_kept() => {
                let mut problems = changes(lock, &used);
                if problems.is_empty() {
                    problems.push(other_bytes(lock, &text));
                }
                return Ok(Problems::check(&lock.file, problems)?);
            }
            None if self.is_kept() => return Err(LockError::Missing { path: self.path.clone() }),
            Some(_) | None => {}
        }
        LockFile::write(&self.path, &text)?;
        let created = self.file.is_none() || self.state == LockState::Created;
        self.state = if created { LockState::Created } else { LockState::Updated };
        self.file = LockFile::load(&self.path)?;
        Ok(())
    }

    fn entry(&self, stage: Stage, reference: &PluginReference) -> Option<&Spanned<LockedPlugin>> {
        let reference = reference.to_string();
        let plugins = &self.file.as_ref()?.plugins;
        plugins.iter().find(|locked| {
            locked.get_ref().stage == stage.section() && locked.get_ref().reference == reference
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use insta::assert_snapshot;

    use super::*;
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
            directory
                .run(Policy::Locked, &[all[0].clone(), all[1].clone(), granted("write in")])
                .unwrap_err(),
            directory.run(Policy::Locked, &[&all[..], &[granted("write in")]].concat()).unwrap_err(),
        ];
        assert_eq!(fs::read_to_string(&path).unwrap(), written);
        for edited in
            [written.replace("# The", "#  The"), format!("{written}\n"), written.replace('\n', "\r\n")]
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
}
