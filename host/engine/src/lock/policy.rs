//! What a run may do about its lock.

/// What a run may do about a lock that does not say what it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Rewrite it.
    Update,
    /// Rewrite it, but use no plugin from a file or registry that is neither locked nor pinned (`CI`).
    RequireForeign,
    /// Refuse every change (`--locked`).
    Locked,
}
