//! Notices connections on which nothing moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// When bytes last moved, in either direction.
#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    last: AtomicU64,
}

impl Activity {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Bytes moved just now.
    pub(crate) fn mark(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    /// Returns when nothing has moved for `limit`.
    #[expect(clippy::arithmetic_side_effects, reason = "a deadline")]
    pub(crate) async fn stalled(&self, limit: Duration) {
        loop {
            let last = self.last.load(Ordering::Relaxed);
            let deadline = self.start + Duration::from_millis(last).saturating_add(limit);
            tokio::time::sleep_until(deadline).await;
            if self.last.load(Ordering::Relaxed) == last {
                return;
            }
        }
    }
}
