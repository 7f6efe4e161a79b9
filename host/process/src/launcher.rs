//! Makes the commands of other programs.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::process::Command;
use std::sync::Arc;

use crate::environment::{Environment, Variables};
use crate::program::{ACTION_SECRETS, Program};

/// Makes the commands of other programs, with what they may see of the environment. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Launcher {
    environment: Arc<dyn Environment>,
    /// What no program gets, whatever else says so.
    withheld: Arc<BTreeSet<OsString>>,
    /// What a kind of program gets besides its list.
    added: Arc<BTreeMap<Program, BTreeSet<OsString>>>,
}

impl Default for Launcher {
    /// With an empty environment.
    fn default() -> Self {
        Self::new(Arc::new(Variables::default()))
    }
}

impl Launcher {
    /// Over this environment.
    pub fn new(environment: Arc<dyn Environment>) -> Self {
        let withheld = ACTION_SECRETS.map(OsString::from).into();
        Self { environment, withheld: Arc::new(withheld), added: Arc::default() }
    }

    /// The same, which also withholds the variables `withheld`, and passes on `added` that are not among them.
    #[must_use]
    pub fn with(
        &self,
        withheld: impl IntoIterator<Item = OsString>,
        added: BTreeMap<Program, BTreeSet<OsString>>,
    ) -> Self {
        let withheld = self.withheld.iter().cloned().chain(withheld).collect();
        Self {
            environment: Arc::clone(&self.environment),
            withheld: Arc::new(withheld),
            added: Arc::new(added),
        }
    }

    /// The value of a variable, for this process.
    pub fn variable(&self, name: &str) -> Option<OsString> {
        self.environment.variable(OsStr::new(name))
    }

    /// A command that starts `path`, or where it is a name, the first program of that name in `PATH`. It sees the variables
    /// of its kind and no others.
    #[expect(clippy::disallowed_methods, reason = "the one place that makes commands")]
    pub fn command(&self, program: Program, path: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(path);
        command.env_clear();
        let added = self.added.get(&program);
        for name in self.environment.names() {
            let wanted = program.takes(&name) || added.is_some_and(|added| added.contains(&name));
            if wanted
                && !self.withheld.contains(&name)
                && let Some(value) = self.environment.variable(&name)
            {
                command.env(name, value);
            }
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `env` sees as a program of this kind.
    fn seen(launcher: &Launcher, program: Program) -> Vec<String> {
        let output = launcher.command(program, "env").output().unwrap();
        let mut lines: Vec<_> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn launcher(more: &[(&str, &str)]) -> Launcher {
        let variables =
            [("PATH", "/usr/bin:/bin"), ("COSIGN_PASSWORD", "s3cret"), ("GITHUB_TOKEN", "s3cret")];
        Launcher::new(Arc::new(variables.iter().chain(more).copied().collect::<Variables>()))
    }

    #[test]
    fn a_program_sees_the_variables_of_its_kind() {
        let launcher = launcher(&[
            ("LC_TIME", "C"),
            ("NIX_CONFIG", "cores = 1"),
            ("DOCKER_HOST", "unix:///d"),
            ("AWS_PROFILE", "me"),
            ("HTTPS_PROXY", "http://proxy"),
        ]);
        let every = ["HTTPS_PROXY=http://proxy", "LC_TIME=C", "PATH=/usr/bin:/bin"];
        for (program, own) in [
            (Program::Nix, "NIX_CONFIG=cores = 1"),
            (Program::ContainerEngine, "DOCKER_HOST=unix:///d"),
            (Program::CredentialHelper, "AWS_PROFILE=me"),
        ] {
            let mut expected = [&every[..], &[own]].concat();
            expected.sort_unstable();
            assert_eq!(seen(&launcher, program), expected);
        }
    }

    #[test]
    fn what_holds_a_secret_is_withheld_even_if_it_is_listed_or_added() {
        let launcher = launcher(&[("NIX_SSHOPTS", "s3cret"), ("MINE", "shown"), ("TOKEN", "s3cret")]);
        let added = ["MINE", "TOKEN", "COSIGN_PASSWORD", "NOT_SET"].map(OsString::from).into();
        let withheld = ["NIX_SSHOPTS", "TOKEN"].map(OsString::from);
        let launcher = launcher.with(withheld, BTreeMap::from([(Program::Nix, added)]));
        assert_eq!(seen(&launcher, Program::Nix), ["MINE=shown", "PATH=/usr/bin:/bin"]);
        assert_eq!(seen(&launcher, Program::ContainerEngine), ["PATH=/usr/bin:/bin"]);
        assert!(!format!("{launcher:?}").contains("s3cret"));
    }
}
