//! How long to wait before registries are asked again.

use std::time::Duration;

use volley_net::random_bytes;

use crate::config::RetryLimits;

/// The pause after a round: doubles each time, less up to a half of it by chance so that clients do not come back together,
/// and is as long as a registry wants, within the limits.
pub(super) fn pause(limits: RetryLimits, round: u32, wanted: Option<Duration>, chance: f64) -> Duration {
    let RetryLimits { first_pause, longest_pause, .. } = limits;
    let grown = first_pause.saturating_mul(1 << round.min(20)).min(longest_pause);
    grown.mul_f64(1.0 - chance / 2.0).max(wanted.unwrap_or_default().min(longest_pause))
}

/// From 0 to 1. Without a source of randomness, the middle: a pause must never fail.
pub(super) fn chance() -> f64 {
    match random_bytes(1).as_deref() {
        Ok([byte]) => f64::from(*byte) / 255.0,
        _ => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(first: u64, longest: u64) -> RetryLimits {
        let (first_pause, longest_pause) = (Duration::from_millis(first), Duration::from_millis(longest));
        RetryLimits { retries: 9, first_pause, longest_pause }
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let millis: Vec<_> = (0..5).map(|round| pause(limits(1_000, 5_000), round, None, 0.0).as_millis()).collect();
        assert_eq!(millis, [1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(pause(limits(1_000, 5_000), 1, None, 1.0).as_millis(), 1_000);
    }

    #[test]
    fn a_registry_may_want_a_longer_pause_within_the_limits() {
        let wants = |seconds| pause(limits(1_000, 20_000), 0, Some(Duration::from_secs(seconds)), 0.0).as_secs();
        assert_eq!((wants(0), wants(7), wants(3_600)), (1, 7, 20));
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_longest(
            first in any::<u64>(), longest in any::<u64>(), round in any::<u32>(), wanted in any::<u64>(), chance in 0.0..=1.0,
        ) {
            let limits = limits(first, longest >> 8);
            prop_assert!(pause(limits, round, Some(Duration::from_secs(wanted)), chance) <= limits.longest_pause);
        }
    }
}
