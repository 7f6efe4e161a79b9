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
    #[error("cannot make a directory for garbage collector roots: {0}")]
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
    #[error("flake `{reference}` or one of its inputs cannot be fetched: {message}")]
    Fetch {
        reference: String,
        /// What Nix said.
        message: String,
    },
    /// A program said something that this version does not understand.
    #[error("cannot understand what `{command}` printed: {problem}")]
    Malformed {
        /// The command, shortened.
        command: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A flake reference, attribute or system is malformed.
    #[error("`{value}` is not a {kind}: {problem}")]
    Invalid {
        value: String,
        /// What it should be.
        kind: &'static str,
        /// Why it is none.
        problem: &'static str,
    },
    /// There is no flake.
    #[error("there is no flake at `{reference}`: {message}")]
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
    #[error("flake `{reference}` does not evaluate{}: {message}", attributes_text(attributes))]
    Evaluation {
        /// The flake reference.
        reference: String,
        /// The attributes that were asked for; none while the flake itself was read.
        attributes: Vec<String>,
        /// The end of what Nix said, with the position.
        message: String,
    },
    /// Evaluation would have to build something first.
    #[error("flake `{reference}`{} builds `{derivation}` while it is evaluated", attributes_text(attributes))]
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
        "`{attribute}` is a content-addressed derivation: its output paths are not known before it is built"
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
    #[error("Nix does not let this user add store paths: {message}")]
    Untrusted {
        /// What Nix said.
        message: String,
    },
    /// No machine that Nix knows builds for this system.
    #[error("`{name}` is for {system}, which Nix cannot build here: {reason}")]
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
    /// The one attribute path that is at fault, as it was asked for; none where it is several or something else.
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
            Self::NotFound { .. } => "install Nix 2.8 or later (https://nixos.org/download), name the directory of \
                 its programs in SEED_NIX, or use `[source.directories]`, which needs no Nix"
                .to_owned(),
            Self::TooOld { .. } => "upgrade Nix: https://nixos.org/download".to_owned(),
            Self::TooLong { .. } => "look for a recursion without end, or a server that does not answer; an \
                 evaluation that needs more time gets it with `source.evaluation-time`, in seconds"
                .to_owned(),
            Self::Fetch { reference, .. } => format!(
                "check the network, the reference, and Nix's option `access-tokens` if it is private; for a machine \
                 without network, fetch it beforehand where there is one: nix flake archive '{reference}'"
            ),
            Self::Malformed { .. } => "this version of Nix may be newer than this program: look for an upgrade of \
                 this program, and report it if there is none"
                .to_owned(),
            Self::NoFlake { .. } => "`source.flake` names a directory with a `flake.nix`, or any other flake \
                 reference; a file in a git repository must be known to git (`git add`)"
                .to_owned(),
            Self::Unlocked { .. } => {
                "a run never changes `flake.lock`: run `nix flake lock` and commit the file".to_owned()
            }
            Self::Evaluation { reference, attributes, .. } => {
                let fragment = attributes.first().map_or(String::new(), |attribute| format!("#{attribute}"));
                format!("see the whole trace with: nix eval --show-trace '{reference}{fragment}'")
            }
            Self::ImportFromDerivation { .. } => "evaluation may not build, so that it stays fast and pure: commit \
                 the generated file, or allow it with the Nix option `allow-import-from-derivation = true`"
                .to_owned(),
            Self::NoAttribute { reference, near, .. } if near.is_empty() => {
                format!("list what there is: nix flake show '{reference}'")
            }
            Self::NoAttribute { near, .. } => {
                let names: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
                format!("did you mean {}?", names.join(" or "))
            }
            Self::NotADerivation { .. } => {
                "name a package: `packages.<system>.<name>` in the flake is `<name>` here".to_owned()
            }
            Self::ContentAddressed { .. } => "make it input-addressed: remove `__contentAddressed`".to_owned(),
            Self::Builder { log, .. } if log.iter().any(|line| line.contains("executing '/bin/sh'")) => "the sandbox \
                 of Nix has no shell: set `sandbox-paths = /bin/sh=…` in nix.conf to a statically linked one, such as \
                 /bin/bash-static of Debian's `bash-static`"
                .to_owned(),
            Self::Builder { derivation, .. } => format!("see the whole log with: nix log {derivation}"),
            Self::Untrusted { .. } => "the Nix daemon takes paths without a binary cache's signature from trusted users \
                 only: run this as root, or add the user to `trusted-users` in /etc/nix/nix.conf and restart the daemon"
                .to_owned(),
            Self::System { system, .. } => format!(
                "let Nix build for it, by a line in nix.conf:\n\n\
                 builders = ssh-ng://HOST {system}    for a remote builder\n\
                 extra-platforms = {system}           for emulation, with QEMU in binfmt_misc\n\n\
                 or run `seed run --system {system} --record FILE` on a machine of that kind, and `seed index` here"
            ),
            Self::Failed { message, .. } if message.contains("'build-users-group'") => "Nix is installed for \
                 several users but its build group is missing: create the group, or set `build-users-group =` in nix.conf"
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
        [] => "; it wrote no log".to_owned(),
        lines => format!(
            "; its last lines:\n{}",
            lines.iter().map(|line| format!("  > {line}")).collect::<Vec<_>>().join("\n")
        ),
    }
}
