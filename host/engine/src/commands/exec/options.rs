//! What `seed exec` is asked.

use std::fmt;
use std::path::PathBuf;

/// A program that runs containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerEngine {
    Docker,
    Podman,
}

impl ContainerEngine {
    /// Its program, which is also its name.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

impl fmt::Display for ContainerEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct ExecOptions {
    /// The Nix system; none for the one that containers have on this machine.
    pub system: Option<String>,
    /// The command and its arguments; empty for what the image runs by itself.
    pub command: Vec<String>,
    /// Run the command directly instead of passing it to the image's entrypoint.
    pub without_entrypoint: bool,
    /// The container engine; none for the first that works.
    pub engine: Option<ContainerEngine>,
    /// The directory that the container sees, writable, at `/work`.
    pub directory: PathBuf,
    /// User and group of the caller: files that the command writes belong to them.
    pub user: (u32, u32),
    /// Whether the caller sits at a terminal.
    pub terminal: bool,
}
