//! Notices exchanges on which nothing moves, or too little.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::HttpLimits;

/// When bytes last moved in either direction, and until when more of them must: of one request, with its redirects.
///
/// Each byte gains the time that it takes at [`HttpLimits::MIN_RATE`]. No more is saved up than a request without a body
/// has, so a peer that was fast cannot become slow for long, and the size that it states gains nothing.
#[derive(Debug)]
pub(crate) struct Activity {
    start: Instant,
    /// The most time that is saved up.
    slack: Duration,
    /// Microseconds after `start`.
    last: AtomicU64,
    /// The same: when too little has moved.
    deadline: AtomicU64,
}

impl Activity {
    pub(crate) fn new(limits: &HttpLimits) -> Self {
        let slack = limits.total;
        Self {
            start: Instant::now(),
            slack,
            last: AtomicU64::new(0),
            deadline: AtomicU64::new(microseconds(slack)),
        }
    }

    /// So many bytes moved just now. None where the head of an answer came.
    pub(crate) fn moved(&self, bytes: u64) {
        self.gain(bytes.saturating_mul(1_000_000) / HttpLimits::MIN_RATE);
    }

    /// This side kept the other one waiting for so long, which is not the other one's fault.
    pub(crate) fn waited(&self, time: Duration) {
        self.gain(microseconds(time));
    }

    fn gain(&self, time: u64) {
        let now = microseconds(self.start.elapsed());
        self.last.store(now, Ordering::Relaxed);
        let latest = now.saturating_add(microseconds(self.slack));
        let gained = |deadline: u64| Some(deadline.saturating_add(time).min(latest));
        // Never fails, since there always is a new value.
        let _ = self.deadline.fetch_update(Ordering::Relaxed, Ordering::Relaxed, gained);
    }

    /// Returns when nothing has moved for `limit`.
    pub(crate) async fn stalled(&self, limit: Duration) {
        self.pass(&self.last, limit).await;
    }

    /// Returns when too little has moved.
    pub(crate) async fn too_slow(&self) {
        self.pass(&self.deadline, Duration::ZERO).await;
    }

    /// Returns when `mark` was not moved until `more` time after it.
    #[expect(clippy::arithmetic_side_effects, reason = "a deadline")]
    async fn pass(&self, mark: &AtomicU64, more: Duration) {
        loop {
            let known = mark.load(Ordering::Relaxed);
            let time = Duration::from_micros(known).saturating_add(more);
            tokio::time::sleep_until(self.start + time).await;
            if mark.load(Ordering::Relaxed) == known {
                return;
            }
        }
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
