//! What happens while Nix works.

/// What happens while Nix works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// How many derivations are built in this run so far, sent when a number changes.
    Builds {
        /// Built.
        done: u64,
        /// Built, running and waiting.
        expected: u64,
        /// Running now.
        running: u64,
        failed: u64,
    },
    /// A derivation begins to build.
    BuildStarted {
        /// Its store path.
        derivation: String,
        name: String,
        /// The remote machine that builds it; none if it is this one.
        machine: Option<String>,
    },
    /// A build enters a phase, such as `unpackPhase`.
    BuildPhase {
        /// The derivation's name.
        name: String,
        phase: String,
    },
    /// A builder writes a line.
    BuildLog {
        /// The derivation's name.
        name: String,
        /// The line, without control sequences, at most 4096 characters.
        line: String,
    },
    /// A build ends, well or not.
    BuildStopped {
        /// The derivation's name.
        name: String,
    },
    /// A download or a copy between stores begins.
    TransferStarted {
        /// Names it in the following events.
        id: u64,
        /// What is transferred: an address or a store path.
        what: String,
    },
    /// A transfer goes on.
    TransferProgress {
        /// The transfer.
        id: u64,
        /// Bytes so far.
        done: u64,
        /// All bytes; zero if that is not known.
        expected: u64,
    },
    /// A transfer ends, well or not.
    TransferStopped {
        /// The transfer.
        id: u64,
    },
    /// A warning of Nix, or a trace of the flake.
    Warning(String),
}

/// Sees [`Event`]s, in order, on the thread that called.
pub trait Observer {
    /// Called once for each event; Nix goes on when it returns.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event)> Observer for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}
