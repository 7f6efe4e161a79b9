//! Finds Nix, and gives each call the same options.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::command::Command;
use crate::evaluate::Memo;
use crate::{NixError, Version, attribute};

/// How Nix is run.
#[derive(Clone, Debug, Default)]
pub struct NixOptions {
    /// The directory that holds `nix` and `nix-store`; default: that of the environment variable `SEED_NIX`,
    /// else the first in `PATH`.
    pub programs: Option<PathBuf>,
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

/// Half an hour: more than any honest evaluation takes, and less than what a CI job is given.
pub const EVALUATION_TIME: Duration = Duration::from_mins(30);

/// A Nix that was found.
#[derive(Debug)]
pub struct Nix {
    /// `nix`.
    new: PathBuf,
    /// `nix-store`.
    classic: PathBuf,
    version: Version,
    /// `--option NAME VALUE …`.
    options: Vec<String>,
    evaluation_time: Duration,
    pub(crate) memo: Mutex<Memo>,
}

/// The standard output of a program that answers in a few lines, in bytes.
const SMALL_OUTPUT: u64 = 64 * 1024;

impl Nix {
    /// Looks for Nix and asks for its version.
    pub fn find(options: NixOptions) -> Result<Self, NixError> {
        let programs = options.programs.or_else(|| env::var_os("SEED_NIX").map(PathBuf::from));
        let new = find_program("nix", programs.as_deref())?;
        let classic = find_program("nix-store", programs.as_deref())?;

        let command = Command::new(&new, SMALL_OUTPUT).args(["--version"]);
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
        let options =
            all.into_iter().flat_map(|(name, value)| ["--option".to_owned(), name, value]).collect();
        Ok(Self { new, classic, version, options, evaluation_time, memo: Mutex::default() })
    }

    /// The version of Nix.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The new command line, which evaluates and fetches: `nix VERB…`.
    pub(crate) fn nix(&self, verb: &[&str], limit: u64) -> Command {
        Command::new(&self.new, limit)
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
        Command::new(&self.classic, limit)
            .args(verb)
            .quiet_args(["--log-format", "internal-json"])
            .quiet_args(&self.options)
    }
}

/// The version in what `nix --version` prints, where it is not too old.
fn supported(text: &str) -> Result<Version, NixError> {
    let version = Version::parse(text).ok_or_else(|| NixError::Malformed {
        command: "nix --version".to_owned(),
        problem: format!("there is no version in `{}`", attribute::shorten(text.trim())),
    })?;
    if version < Version::OLDEST {
        return Err(NixError::TooOld { found: version });
    }
    Ok(version)
}

fn find_program(program: &'static str, dir: Option<&Path>) -> Result<PathBuf, NixError> {
    let search = match dir {
        Some(dir) => dir.as_os_str().to_owned(),
        None => env::var_os("PATH").unwrap_or_default(),
    };
    let found = env::split_paths(&search).map(|dir| dir.join(program)).find(|path| path.is_file());
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
    use super::*;

    #[test]
    fn versions_before_2_8_are_refused() {
        assert_eq!(supported("nix (Nix) 2.8.0").unwrap(), Version::OLDEST);
        let error = supported("nix (Nix) 2.7.1").unwrap_err();
        insta::assert_snapshot!(error, @"Nix 2.7 is too old: version 2.8 or later is needed");
        let error = supported("hello").unwrap_err();
        insta::assert_snapshot!(error, @"cannot understand what `nix --version` printed: there is no version in `hello`");
    }

    #[test]
    fn a_missing_nix_is_an_error_with_help() {
        let options = NixOptions { programs: Some("/nonexistent".into()), ..NixOptions::default() };
        let error = Nix::find(options).unwrap_err();
        insta::assert_snapshot!(error, @"cannot find `nix` in /nonexistent");
        assert!(error.help().unwrap().contains("SEED_NIX"));
    }
}
