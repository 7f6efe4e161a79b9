//! Where the progress of uploads is shown.

use std::fmt;

/// Receives the progress of request bodies.
pub trait Progress: Send + Sync + fmt::Debug {
    /// A body of `total` bytes begins; the number names it in the other calls.
    fn start(&self, label: &str, total: u64) -> u64;

    /// More bytes of it were sent.
    fn advance(&self, task: u64, bytes: u64);

    /// It ended, sent or not. A body that must be sent again starts over.
    fn end(&self, task: u64);
}
