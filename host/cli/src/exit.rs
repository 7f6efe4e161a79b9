//! Exit codes: what a script may rely on. `docs/exit-codes.md` has the same table.

use seed_report::Kind;

/// Why `seed` ended. The numbers never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All that was asked is done.
    Done = 0,
    /// Something failed that none of the other codes names: a full disk, an unreadable file, a fault of `seed`.
    Failed = 1,
    /// Invalid command line or pipeline file.
    Usage = 2,
    /// The source does not evaluate or does not build.
    Source = 3,
    /// A plugin was refused, failed, or broke a limit.
    Plugin = 4,
    /// A pin or `seed.lock` does not agree with what would run.
    Pin = 5,
    /// Signing failed, or a signature is not what it claims to be.
    Signing = 6,
    /// Publishing failed: the registry or the place on disk.
    Publishing = 7,
    /// The image breaks a rule on what it may hold.
    Rule = 8,
    /// Interrupted by a signal (128 + SIGINT).
    Interrupted = 130,
}

impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Failed => Self::Failed,
            Kind::Usage => Self::Usage,
            Kind::Source => Self::Source,
            Kind::Plugin => Self::Plugin,
            Kind::Pin => Self::Pin,
            Kind::Signature => Self::Signing,
            Kind::Publish => Self::Publishing,
            Kind::Rule => Self::Rule,
            Kind::Interrupted => Self::Interrupted,
        }
    }
}

impl Exit {
    /// All codes with one line each.
    pub(crate) const ALL: [(Self, &str); 10] = [
        (Self::Done, "done"),
        (Self::Failed, "any other failure"),
        (Self::Usage, "invalid command line or pipeline file"),
        (Self::Source, "the source does not evaluate or build"),
        (Self::Plugin, "a plugin was rejected, failed or hit a limit"),
        (Self::Pin, "a pin or lock file does not match"),
        (Self::Signing, "signing failed, or a signature is invalid"),
        (Self::Publishing, "publishing failed"),
        (Self::Rule, "the image violates a content rule"),
        (Self::Interrupted, "interrupted"),
    ];

    /// The codes as `seed --help` lists them.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.map(|(exit, meaning)| format!("{:>5} {meaning}", exit.code()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }

    /// The number that the process ends with.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented_with_the_same_words() {
        let page = include_str!("../../../docs/exit-codes.md");
        for (exit, meaning) in Exit::ALL {
            let row = format!("| `{}` | {meaning} |", exit.code());
            assert!(page.contains(&row), "docs/exit-codes.md has no row `{row}`");
        }
    }
}
