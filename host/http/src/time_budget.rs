//! The time that all requests of a command may take.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time that all requests of a command may take together. It passes only while a request is on its way: what a command
/// does between them, such as a build, takes nothing of it.
#[derive(Debug)]
pub struct TimeBudget {
    allowed: Duration,
    clock: Mutex<Clock>,
}

#[derive(Debug)]
struct Clock {
    /// Requests on their way.
    active: usize,
    /// When the clock was looked at last.
    read: Instant,
    used: Duration,
}

impl TimeBudget {
    /// So much time.
    #[expect(clippy::disallowed_methods, reason = "a time limit")]
    pub fn new(allowed: Duration) -> Self {
        Self { allowed, clock: Mutex::new(Clock { active: 0, read: Instant::now(), used: Duration::ZERO }) }
    }

    pub(crate) fn allowed(&self) -> Duration {
        self.allowed
    }

    /// A request begins: gives the time that is left for it. It ends with what this gives.
    pub(crate) fn begin(&self) -> (Duration, OnItsWay<'_>) {
        let mut clock = self.clock();
        clock.active = clock.active.saturating_add(1);
        (self.allowed.saturating_sub(clock.used), OnItsWay(self))
    }

    /// The clock, after what has passed was counted.
    #[expect(clippy::disallowed_methods, reason = "a time limit")]
    fn clock(&self) -> MutexGuard<'_, Clock> {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if clock.active > 0 {
            clock.used = clock.used.saturating_add(now.duration_since(clock.read));
        }
        clock.read = now;
        clock
    }
}

/// A request that takes time.
#[derive(Debug)]
pub(crate) struct OnItsWay<'a>(&'a TimeBudget);

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        let mut clock = self.0.clock();
        clock.active = clock.active.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn time_passes_only_while_a_request_is_on_its_way() {
        let budget = TimeBudget::new(Duration::from_secs(100));
        let (left, first) = budget.begin();
        assert_eq!(left, Duration::from_secs(100));
        sleep(Duration::from_millis(100));
        // Two at once take no more than one.
        let (left, second) = budget.begin();
        assert!(left <= Duration::from_millis(99_900) && left > Duration::from_secs(90), "{left:?}");
        sleep(Duration::from_millis(100));
        drop((first, second));
        let left = |budget: &TimeBudget| budget.begin().0;
        let before = left(&budget);
        assert!(before <= Duration::from_millis(99_800) && before > Duration::from_secs(90), "{before:?}");
        sleep(Duration::from_millis(500));
        let after = left(&budget) + Duration::from_millis(400);
        assert!(after > before, "nothing was on its way: {before:?}, {after:?}");
    }
}
