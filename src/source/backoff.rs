//! How long a source waits before it tries again. One policy for every kind of input.
//!
//! The classes differ because the remedies do: an absent camera should be back within 5 s of
//! answering, while a wrong password only gets better by a person, and cameras lock accounts.

use std::time::Duration;

use rand::RngExt;

use crate::media::stream::OfflineReason;

/// Quiet between closing and reopening; cameras that just lost a session refuse the next at once.
pub const FLOOR: Duration = Duration::from_millis(500);

/// A connection that delivered for this long counts as healthy, and the waits start over.
pub const HEALTHY: Duration = Duration::from_secs(10);

/// Waits of one source between its attempts.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Forgets past failures. Called after [`HEALTHY`] of delivery, never on a mere connect.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The wait after one more failure: doubling from the class's first to its longest, less up to
    /// a quarter at random so that cameras behind one switch don't all come back at once.
    pub fn after(&mut self, reason: OfflineReason) -> Duration {
        let (first, longest) = match reason {
            OfflineReason::Refused
            | OfflineReason::NoRoute
            | OfflineReason::Stalled
            | OfflineReason::Lost
            | OfflineReason::NotFound => (FLOOR, Duration::from_secs(4)),
            OfflineReason::Unauthorised => (Duration::from_secs(15), Duration::from_secs(240)),
            OfflineReason::Unsupported => (Duration::from_secs(10), Duration::from_secs(60)),
        };
        let wait = first.saturating_mul(1 << self.failures.min(16)).min(longest);
        self.failures = self.failures.saturating_add(1);
        wait.mul_f64(rand::rng().random_range(0.75..=1.0)).max(FLOOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_ceiling_and_start_over_after_health() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..40).map(|_| backoff.after(OfflineReason::NoRoute)).collect();
        assert_eq!(waits[0], FLOOR);
        assert!(waits.iter().all(|w| (FLOOR..=Duration::from_secs(4)).contains(w)), "{waits:?}");
        assert!(waits[10..].iter().all(|w| *w >= Duration::from_secs(3)), "{waits:?}");
        backoff.reset();
        assert_eq!(backoff.after(OfflineReason::Lost), FLOOR);
    }

    #[test]
    fn a_wrong_password_is_tried_rarely() {
        let mut backoff = Backoff::default();
        let twenty: Duration = (0..20).map(|_| backoff.after(OfflineReason::Unauthorised)).sum();
        assert!(twenty > Duration::from_secs(50 * 60), "{twenty:?}");
    }
}
