//! Why Nix could not do what was asked.

use std::io;
use std::time::Duration;

use crate::version::Version;

/// Why Nix could not do what was asked. The text says what failed and where, [`NixError::help`] what to do next.
#[derive(Debug, thiserror::Error)]
pub enum NixError {
    /// There is no Nix.
    #[error("cannot find `{program}` in {searched}")]
    NotFound {
        /// The program that was looked for.
        program: &'static str,
        /// Where.
        searched: String,
    },
    /// Nix is older than [`Version::OLDEST`].
    #[error("Nix {found} is too old: version {} or later is needed", Version::OLDEST)]
    TooOld { found: Version },
    /// A program could not be started, or its output could not be read.
    #[error("cannot run `{command}`: {source}")]
    Run {
        /// The command, shortened.
        command: String,
        source: io::Error,
    },
    /// The links that keep paths from the garbage collector could not be made.
    #[error("cannot create a directory for garbage collector roots: {0}")]
    Roots(#[source] io::Error),
    /// A program wrote more than it may.
    #[error("`{command}` wrote more than {limit} bytes")]
    TooMuchOutput {
        /// The command, shortened.
        command: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// An evaluation, or fetching what it needs, took too long.
    #[error("`{command}` took longer than {limit:?}")]
    TooLong {
        /// The command, shortened.
        command: String,
        limit: Duration,
    },
    /// A program failed in a way that has no variant of its own.
    #[error("`{command}` failed: {message}")]
    Failed {
        /// The command, shortened.
        command: String,
        /// What it said.
        message: String,
    },
    /// The flake, or one of its inputs, is somewhere else and did not come.
    #[error("cannot fetch flake `{reference}` or one of its inputs: {message}")]
    Fetch {
        reference: String,
        /// What Nix said.
        message: String,
    },
    /// A program said something that this version does not understand.
    #[error("malformed output from `{command}`: {problem}")]
    Malformed {
        /// The command, shortened.
        command: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A flake reference, attribute or system is malformed.
    #[error("invalid {kind} `{value}`: {problem}")]
    Invalid {
        value: String,
        /// What it should be.
        kind: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// There is no flake.
    #[error("no flake at `{reference}`: {message}")]
    NoFlake {
        /// The flake reference.
        reference: String,
        /// What Nix said.
        message: String,
    },
    /// `flake.lock` lacks an entry.
    #[error("the lock file of flake `{reference}` is missing or out of date: {message}")]
    Unlocked {
        /// The flake reference.
        reference: String,
        /// What Nix said.
        message: String,
    },
    /// The flake does not evaluate.
    #[error("cannot evaluate flake `{reference}`{}: {message}", attributes_text(attributes))]
    Evaluation {
        /// The flake reference.
        reference: String,
        /// The attributes that were asked for; none while the flake itself was read.
        attributes: Vec<String>,
        /// The end of what Nix said, with the position.
        message: String,
    },
    /// Evaluation would have to build something first.
    #[error("evaluating flake `{reference}`{} requires building `{derivation}`", attributes_text(attributes))]
    ImportFromDerivation {
        /// The flake reference.
        reference: String,
        /// The attributes that were asked for.
        attributes: Vec<String>,
        /// The derivation that evaluation needs.
        derivation: String,
    },
    /// The flake has no such attribute.
    #[error("flake `{reference}` has no attribute `{attribute}` for {system}")]
    NoAttribute {
        /// The flake reference.
        reference: String,
        attribute: String,
        system: String,
        /// Names that are like it, nearest first.
        near: Vec<String>,
    },
    /// An attribute is something else than a derivation.
    #[error("attribute `{attribute}` of flake `{reference}` is not a derivation: it is a {kind}")]
    NotADerivation {
        /// The flake reference.
        reference: String,
        attribute: String,
        /// The Nix type of its value.
        kind: String,
    },
    /// A derivation has no such output.
    #[error("`{attribute}` has no output `{output}`; it has {}", outputs.join(", "))]
    NoOutput {
        attribute: String,
        output: String,
        /// The outputs that it has.
        outputs: Vec<String>,
    },
    /// The path of an output is not known before it is built.
    #[error(
        "`{attribute}` is a content-addressed derivation: its output paths are unknown until it is built"
    )]
    ContentAddressed { attribute: String },
    /// A builder failed.
    #[error("building `{name}` failed: {reason}{}", log_text(log))]
    Builder {
        /// The derivation's name.
        name: String,
        /// The derivation's store path.
        derivation: String,
        /// Why, in Nix's words.
        reason: String,
        /// The last lines that the builder wrote.
        log: Vec<String>,
    },
    /// Nix does not take store paths from this user.
    #[error("Nix does not allow this user to add store paths: {message}")]
    Untrusted {
        /// What Nix said.
        message: String,
    },
    /// No machine that Nix knows builds for this system.
    #[error("Nix cannot build `{name}` for {system} here: {reason}")]
    System {
        /// The derivation's name.
        name: String,
        /// The Nix system that it is for.
        system: String,
        /// Why, in Nix's words.
        reason: String,
    },
}

impl NixError {
    /// The one attribute path that is at fault, as it was asked for; none if it is several or something else.
    pub fn attribute(&self) -> Option<&str> {
        match self {
            Self::NoAttribute { attribute, .. }
            | Self::NotADerivation { attribute, .. }
            | Self::NoOutput { attribute, .. }
            | Self::ContentAddressed { attribute } => Some(attribute),
            Self::Evaluation { attributes, .. } | Self::ImportFromDerivation { attributes, .. } => {
                if let [attribute] = attributes.as_slice() { Some(attribute) } else { None }
            }
            _ => None,
        }
    }

    /// A stable code, such as `seed::nix::builder`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "seed::nix::not-found",
            Self::TooOld { .. } => "seed::nix::too-old",
            Self::Run { .. } | Self::Roots(_) => "seed::nix::run",
            Self::TooMuchOutput { .. } => "seed::nix::too-much-output",
            Self::TooLong { .. } => "seed::nix::too-long",
            Self::Failed { .. } => "seed::nix::failed",
            Self::Fetch { .. } => "seed::nix::fetch",
            Self::Malformed { .. } => "seed::nix::malformed",
            Self::Invalid { .. } => "seed::nix::invalid",
            Self::NoFlake { .. } => "seed::nix::no-flake",
            Self::Unlocked { .. } => "seed::nix::unlocked",
            Self::Evaluation { .. } => "seed::nix::evaluation",
            Self::ImportFromDerivation { .. } => "seed::nix::import-from-derivation",
            Self::NoAttribute { .. } => "seed::nix::no-attribute",
            Self::NotADerivation { .. } => "seed::nix::not-a-derivation",
            Self::NoOutput { .. } => "seed::nix::no-output",
            Self::ContentAddressed { .. } => "seed::nix::content-addressed",
            Self::Builder { .. } => "seed::nix::builder",
            Self::Untrusted { .. } => "seed::nix::untrusted",
            Self::System { .. } => "seed::nix::system",
        }
    }

    /// What to do next.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "install Nix 2.8 or later (https://nixos.org/download), set SEED_NIX \
                                      to the directory of its programs, or use `[source.directories]`, \
                                      which does not need Nix"
                .to_owned(),
            Self::TooOld { .. } => "upgrade Nix: https://nixos.org/download".to_owned(),
            Self::TooLong { .. } => "look for infinite recursion or an unresponsive server; if the \
                                     evaluation needs more time, raise `source.evaluation-time`, in seconds"
                .to_owned(),
            Self::Fetch { reference, .. } => format!(
                "check the network, the reference and, for private flakes, Nix's option `access-tokens`; \
                 if this machine has no network, run `nix flake archive '{reference}'` while it has one"
            ),
            Self::Malformed { .. } => "this `seed` may be too old for your Nix: upgrade `seed`, or report \
                                       a bug if this is the latest version"
                .to_owned(),
            Self::NoFlake { .. } => "set `source.flake` to a directory with a `flake.nix` or to another \
                                     flake reference; in a git repository, run `git add` for new files"
                .to_owned(),
            Self::Unlocked { .. } => {
                "run `nix flake lock` and commit `flake.lock`, which `seed` never changes".to_owned()
            }
            Self::Evaluation { reference, attributes, .. } => {
                let fragment = attributes.first().map_or(String::new(), |attribute| format!("#{attribute}"));
                format!("run `nix eval --show-trace '{reference}{fragment}'` to see the whole trace")
            }
            Self::ImportFromDerivation { .. } => "commit the generated file, or allow builds during \
                                                  evaluation with the Nix option \
                                                  `allow-import-from-derivation = true`"
                .to_owned(),
            Self::NoAttribute { reference, near, .. } if near.is_empty() => {
                format!("run `nix flake show '{reference}'` to list its attributes")
            }
            Self::NoAttribute { near, .. } => {
                let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
                format!("did you mean {}?", names.join(" or "))
            }
            Self::NotADerivation { .. } => {
                "name a package: the flake's `packages.<system>.<name>` is `<name>` here".to_owned()
            }
            Self::ContentAddressed { .. } => "remove `__contentAddressed` to make it input-addressed".to_owned(),
            Self::Builder { log, .. } if log.iter().any(|line| line.contains("executing '/bin/sh'")) => "Nix's sandbox has no shell: set `sandbox-paths = /bin/sh=…` in nix.conf to a statically linked shell, such as /bin/bash-static from Debian's `bash-static`"
                .to_owned(),
            Self::Builder { derivation, .. } => format!("run `nix log {derivation}` to see the whole log"),
            Self::Untrusted { .. } => "the Nix daemon accepts unsigned paths only from trusted users: run \
                                       this as root, or add the user to `trusted-users` in \
                                       /etc/nix/nix.conf and restart the daemon"
                .to_owned(),
            Self::System { system, .. } => format!(
                "add one of these lines to nix.conf:\n\n\
                 builders = ssh-ng://HOST {system}    for a remote builder\n\
                 extra-platforms = {system}           for emulation, with QEMU in binfmt_misc\n\n\
                 or run `seed run --system {system} --record FILE` on such a machine, and `seed index` here"
            ),
            Self::Failed { message, .. } if message.contains("'build-users-group'") => "Nix has no build users group: create the group, or set `build-users-group =` in nix.conf"
                .to_owned(),
            Self::Run { .. }
            | Self::Roots(_)
            | Self::TooMuchOutput { .. }
            | Self::Failed { .. }
            | Self::Invalid { .. }
            | Self::NoOutput { .. } => return None,
        })
    }
}

fn attributes_text(attributes: &[String]) -> String {
    match attributes {
        [] => String::new(),
        names => format!(" (`{}`)", names.join("`, `")),
    }
}

fn log_text(log: &[String]) -> String {
    match log {
        [] => "; the log is empty".to_owned(),
        lines => format!(
            "; the last lines of the log:\n{}",
            lines.iter().map(|line| format!("  > {line}")).collect::<Vec<_>>().join("\n")
        ),
    }
}
