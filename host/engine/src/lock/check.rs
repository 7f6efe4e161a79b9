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
