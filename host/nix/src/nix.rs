//! Finds Nix, and gives each call the same options.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use seed_process::{Launcher, Program};

use crate::command::Command;
use crate::derivation::Memo;
use crate::error::NixError;
use crate::text;
use crate::version::Version;

/// How Nix is run. [`NixOptions::locate`] makes it, since nothing here reads the environment of the process.
#[derive(Clone, Debug)]
pub struct NixOptions {
    /// The directory that holds `nix` and `nix-store`; none for the first of [`search`](Self::search) that has them.
    pub programs: Option<PathBuf>,
    /// The directories that are searched for them, in the form of `PATH`.
    pub search: OsString,
    /// Starts them.
    pub launcher: Launcher,
    /// An existing directory for the links that keep store paths from the garbage collector while they are used.
    pub temporary: PathBuf,
    /// Nix's own option `substitute`: whether builds may be replaced by downloads from binary caches. Default: as
    /// Nix is configured.
    pub substitute: Option<bool>,
    /// More options of Nix by name, such as `sandbox` = `true`. They win over Nix's configuration files and
    /// `NIX_CONFIG`, which are honoured; [`Nix::settings`] tells what was in force.
    pub options: BTreeMap<String, String>,
    /// How long one evaluation may take, with fetching what it needs; default: [`EVALUATION_TIME`]. Builds may take as
    /// long as they do.
    pub evaluation_time: Option<Duration>,
}

impl NixOptions {
    /// Finds Nix as the environment of `launcher` says: in the directory `SEED_NIX`, or else in `PATH`.
    /// Links are kept in `TMPDIR`, or else in `/tmp`. All else is as Nix is configured.
    pub fn locate(launcher: &Launcher) -> Self {
        let path = |name| launcher.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            programs: path("SEED_NIX"),
            search: launcher.variable("PATH").unwrap_or_default(),
            launcher: launcher.clone(),
            temporary: path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")),
            substitute: None,
            options: BTreeMap::new(),
            evaluation_time: None,
        }
    }
}

/// Half an hour: more than any honest evaluation takes, and less than what a CI job is given.
pub const EVALUATION_TIME: Duration = Duration::from_mins(30);

/// A Nix that was found.
#[derive(Debug)]
pub struct Nix {
    /// `nix`.
    new: PathBuf,
    /// `nix-store`.
    classic: PathBuf,
    launcher: Launcher,
    version: Version,
    /// `--option NAME VALUE …`.
    options: Vec<String>,
    evaluation_time: Duration,
    /// Where links that are garbage collector roots are made.
    pub(crate) temporary: PathBuf,
    pub(crate) memo: Mutex<Memo>,
}

/// The standard output of a program that answers in a few lines, in bytes.
const SMALL_OUTPUT: u64 = 64 * 1024;

impl Nix {
    /// Looks for Nix and asks for its version.
    pub fn find(options: NixOptions) -> Result<Self, NixError> {
        let programs = options.programs.as_deref();
        let new = find_program("nix", programs, &options.search)?;
        let classic = find_program("nix-store", programs, &options.search)?;

        let launcher = options.launcher;
        let version = launcher.command(Program::Nix, &new);
        let command = Command::new(version, SMALL_OUTPUT).args(["--version"]);
        let text = String::from_utf8_lossy(&command.run(&|_: &_| {})?.success()?).into_owned();
        let version = supported(&text)?;

        let evaluation_time = options.evaluation_time.unwrap_or(EVALUATION_TIME);
        let mut all = options.options;
        if let Some(substitute) = options.substitute {
            all.insert("substitute".to_owned(), substitute.to_string());
        }
        // Evaluation is fast and pure unless the caller says otherwise.
        all.entry("allow-import-from-derivation".to_owned()).or_insert_with(|| "false".to_owned());
        // `FlakeInfo::dirty` tells.
        all.entry("warn-dirty".to_owned()).or_insert_with(|| "false".to_owned());
        Ok(Self {
            new,
            classic,
            launcher,
            version,
            options: all.into_iter().flat_map(|(name, value)| ["--option".to_owned(), name, value]).collect(),
            evaluation_time,
            temporary: options.temporary,
            memo: Mutex::default(),
        })
    }

    /// The version of Nix.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The new command line, which evaluates and fetches: `nix VERB…`.
    pub(crate) fn nix(&self, verb: &[&str], limit: u64) -> Command {
        Command::new(self.launcher.command(Program::Nix, &self.new), limit)
            .within(self.evaluation_time)
            .args(verb)
            .quiet_args([
                "--log-format",
                "internal-json",
                "--extra-experimental-features",
                "nix-command flakes",
            ])
            .quiet_args(&self.options)
    }

    /// A classic command: `nix-store VERB…`.
    pub(crate) fn nix_store(&self, verb: &[&str], limit: u64) -> Command {
        Command::new(self.launcher.command(Program::Nix, &self.classic), limit)
            .args(verb)
            .quiet_args(["--log-format", "internal-json"])
            .quiet_args(&self.options)
    }
}

/// The version in what `nix --version` prints, where it is not too old.
fn supported(text: &str) -> Result<Version, NixError> {
    let version = Version::parse(text).ok_or_else(|| NixError::Malformed {
        command: "nix --version".to_owned(),
        problem: format!("no version in `{}`", text::shorten(text.trim())),
    })?;
    if version < Version::OLDEST {
        return Err(NixError::TooOld { found: version });
    }
    Ok(version)
}

fn find_program(program: &'static str, dir: Option<&Path>, search: &OsStr) -> Result<PathBuf, NixError> {
    let search = dir.map_or(search, Path::as_os_str);
    let found = env::split_paths(search).map(|dir| dir.join(program)).find(|path| path.is_file());
    found.ok_or_else(|| NixError::NotFound {
        program,
        searched: match dir {
            Some(dir) => dir.display().to_string(),
            None => "PATH".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seed_process::Variables;

    use super::*;

    #[test]
    fn versions_before_2_8_are_refused() {
        assert_eq!(supported("nix (Nix) 2.8.0").unwrap(), Version::OLDEST);
        let error = supported("nix (Nix) 2.7.1").unwrap_err();
        insta::assert_snapshot!(error, @"Nix 2.7 is too old: version 2.8 or later is needed");
        let error = supported("hello").unwrap_err();
        insta::assert_snapshot!(error, @"malformed output from `nix --version`: no version in `hello`");
    }

    #[test]
    fn a_missing_nix_is_an_error_with_help() {
        let found = |variable: &'static str| {
            let variables: Variables = [(variable, "/nonexistent")].into_iter().collect();
            Nix::find(NixOptions::locate(&Launcher::new(Arc::new(variables)))).unwrap_err()
        };
        insta::assert_snapshot!(found("SEED_NIX"), @"cannot find `nix` in /nonexistent");
        insta::assert_snapshot!(found("PATH"), @"cannot find `nix` in PATH");
        assert!(found("PATH").help().unwrap().contains("SEED_NIX"));
    }
}
