//! What publishing cost.

/// What was sent and what was there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) sent: usize,
    pub(crate) skipped: usize,
    pub(crate) bytes: u64,
}

impl Count {
    /// Counts something that was sent, of this size.
    pub(crate) fn sent(&mut self, bytes: u64) {
        self.sent += 1;
        self.bytes += bytes;
    }
}
