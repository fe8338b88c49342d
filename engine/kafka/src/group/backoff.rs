//! Growing pauses with some jitter, so that members do not return at the same moment.

use std::time::Duration;

use volley_net::random_bytes;

const JITTER: f64 = 0.2;

/// Doubles from `first` to `longest`.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest: longest.max(first), attempts: 0 }
    }

    /// The next pause.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.first.saturating_mul(1 << self.attempts.min(20)).min(self.longest);
        self.attempts += 1;
        pause.mul_f64(1.0 - JITTER + 2.0 * JITTER * random_part())
    }
}

/// From 0 to 1. Without a source of randomness, the middle: a pause must never fail.
fn random_part() -> f64 {
    match random_bytes(1).as_deref() {
        Ok([byte]) => f64::from(*byte) / 255.0,
        _ => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_the_longest_with_jitter(first in 0_u64..100_000, longest in 0_u64..100_000, n in 0_usize..50) {
            let mut backoff = Backoff::new(Duration::from_millis(first), Duration::from_millis(longest));
            let pauses: Vec<_> = (0..=n).map(|_| backoff.next().as_secs_f64() * 1000.0).collect();
            prop_assert!(pauses.iter().all(|pause| *pause <= longest.max(first) as f64 * (1.0 + JITTER) + 0.01));
            prop_assert!(pauses[0] >= first as f64 * (1.0 - JITTER) - 0.01);
        }
    }
}
