//! What `seed cache pull` is asked.

use std::path::PathBuf;

/// What to pull, and where to.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// The image (`docs/references.md`).
    pub reference: String,
    /// The Nix system whose image is taken, where there are several; none for this machine's.
    pub system: Option<String>,
    /// The store to add to, as Nix's option `store` names it; none for the usual one.
    pub store: Option<String>,
    /// Why the image is trusted.
    pub trust: Trust,
}

/// Why an image is trusted to be the one that is meant. A digest always is, and so is a file of this machine.
#[derive(Clone, Debug)]
pub enum Trust {
    /// For nothing else.
    Digest,
    /// This lock file names it.
    Lock(PathBuf),
    /// Each of the keys in these files has signed it, files of this machine too.
    Keys(Vec<PathBuf>),
    /// Whatever a tag names now.
    Tag,
}
