//! How long a worker stays out of its group after it could not read the config topic to its end.

use std::time::Duration;

use super::ConnectProtocol;

const RETRIES: u32 = 5;

/// Pauses before the worker tries again. Its work continues meanwhile, for a limited time.
#[derive(Clone, Debug)]
pub struct SyncBackoff {
    max_delay_ms: u32,
    unsync_backoff: Duration,
    retries_left: u32,
}

impl SyncBackoff {
    /// Pauses that are fractions of `max_delay_ms` (`scheduled.rebalance.max.delay.ms`), so that a worker returns
    /// before its work is assigned to others. `unsync_backoff` (`worker.unsync.backoff.ms`) is used for the eager
    /// protocol, where a rebalance stops everything.
    pub fn new(max_delay_ms: i32, unsync_backoff: Duration) -> Self {
        let max_delay_ms = u32::try_from(max_delay_ms).unwrap_or(0);
        Self { max_delay_ms, unsync_backoff, retries_left: RETRIES }
    }

    /// Resets the pauses after a successful read.
    pub fn reset(&mut self) {
        self.retries_left = RETRIES;
    }

    /// The pause after a failure in a group with this protocol, and whether to stop all work because the worker was out
    /// of sync for too long.
    pub fn next(&mut self, protocol: ConnectProtocol) -> (Duration, bool) {
        if !protocol.is_cooperative() {
            return (self.unsync_backoff, false);
        }
        if self.retries_left == 0 {
            self.reset();
            return (Duration::ZERO, true);
        }
        let pause = self.max_delay_ms / 10 / self.retries_left;
        self.retries_left -= 1;
        (Duration::from_millis(pause.into()), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_five_pauses_that_get_longer_everything_stops_and_counting_starts_again() {
        let mut backoff = SyncBackoff::new(300_000, Duration::from_secs(300));
        let mut next = || backoff.next(ConnectProtocol::Compatible);
        for _ in 0..2 {
            for seconds in [6_000, 7_500, 10_000, 15_000, 30_000] {
                assert_eq!(next(), (Duration::from_millis(seconds), false));
            }
            assert_eq!(next(), (Duration::ZERO, true));
        }
    }

    #[test]
    fn a_success_starts_counting_again() {
        let mut backoff = SyncBackoff::new(100, Duration::from_secs(300));
        backoff.next(ConnectProtocol::Sessioned);
        backoff.reset();
        assert_eq!(backoff.next(ConnectProtocol::Sessioned), (Duration::from_millis(2), false));
        assert_eq!(backoff.next(ConnectProtocol::Eager), (Duration::from_secs(300), false));
    }
}
