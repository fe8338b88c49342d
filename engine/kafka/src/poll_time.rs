//! Waits that the client library carries out without spinning.

use std::time::Duration;

/// More than it takes to begin a wait, less than a wait ends late.
const MARGIN: Duration = Duration::from_micros(20);

/// About the same time, in whole milliseconds and a trifle: the library hands whole milliseconds to librdkafka and spins for
/// the rest, on average half a millisecond of each wait.
pub(crate) fn poll_time(wait: Duration) -> Duration {
    if wait.is_zero() {
        return wait;
    }
    let millis = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    Duration::from_millis(millis).saturating_add(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_whole_milliseconds_and_a_trifle() {
        assert_eq!(poll_time(Duration::ZERO), Duration::ZERO);
        assert_eq!(poll_time(Duration::from_nanos(1)), Duration::from_micros(1020));
        assert_eq!(poll_time(Duration::from_millis(3)), Duration::from_micros(3020));
        assert!(poll_time(Duration::MAX) > Duration::from_secs(1));
    }
}
