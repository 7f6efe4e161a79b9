//! The kinds of failure.

/// What kind of failure an error is. The command line gives each its exit code (`docs/exit-codes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// None of the others: a full disk, an unreadable file, a bug in `seed`.
    Failed,
    /// The command line, the pipeline file, or a plugin's configuration in it is invalid.
    Usage,
    /// The source does not evaluate or build.
    Source,
    /// A plugin was refused, failed, or hit a limit.
    Plugin,
    /// A pin or the lock file does not match what was found.
    Pin,
    /// Signing failed, or a signature is wrong.
    Signature,
    /// Publishing failed.
    Publish,
    /// The image breaks a rule on what it may hold.
    Rule,
    /// A signal asked the command to stop.
    Interrupted,
}
