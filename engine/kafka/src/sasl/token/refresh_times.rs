//! When a token is renewed, as Java's login does it.

/// `sasl.login.refresh.*`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RefreshTimes {
    /// `window.factor`: the part of its life after which a token is renewed.
    pub(super) window_factor: f64,
    /// `window.jitter`: the part of its life by which this is put off at random.
    pub(super) window_jitter: f64,
    /// `min.period.seconds`, in milliseconds.
    pub(super) min_period: i64,
    /// `buffer.seconds`, in milliseconds.
    pub(super) buffer: i64,
}

/// A token that is renewed all the time would be of no use to anybody.
const SHORTEST: i64 = 100;

impl RefreshTimes {
    /// Milliseconds from `now` until a token with this life is to be renewed; `random` is from 0 to 1.
    pub(super) fn pause(&self, issued_at: Option<i64>, expires_at: i64, now: i64, random: f64) -> i64 {
        let left = expires_at.saturating_sub(now);
        let begin = issued_at.unwrap_or(now).min(expires_at);
        let part = self.window_factor + self.window_jitter * random;
        let window = begin.saturating_add((expires_at.saturating_sub(begin) as f64 * part) as i64);
        // A life that is too short for both limits knows neither.
        let at = if self.min_period.saturating_add(self.buffer) > left {
            window
        } else {
            window.min(expires_at - self.buffer).max(now + self.min_period)
        };
        at.min(expires_at).saturating_sub(now).max(SHORTEST)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEFAULTS: RefreshTimes =
        RefreshTimes { window_factor: 0.8, window_jitter: 0.05, min_period: 60_000, buffer: 300_000 };

    #[test]
    fn a_long_life_is_renewed_after_the_window_and_before_the_buffer() {
        let hour = 3_600_000;
        assert_eq!(DEFAULTS.pause(Some(0), hour, 0, 0.0), hour / 10 * 8);
        assert_eq!(DEFAULTS.pause(Some(0), hour / 3, 0, 1.0), hour / 3 - 300_000);
        assert_eq!(DEFAULTS.pause(None, hour, 0, 1.0), hour / 100 * 85);
        // Most of its life is over: not at once, though the window has passed.
        assert_eq!(DEFAULTS.pause(Some(-9 * hour), hour, 0, 0.0), 60_000);
    }

    #[test]
    fn a_short_life_has_no_buffer() {
        assert_eq!(DEFAULTS.pause(Some(0), 10_000, 0, 0.0), 8_000);
        assert_eq!(DEFAULTS.pause(Some(0), 10_000, 9_990, 0.0), SHORTEST);
    }

    proptest! {
        #[test]
        fn a_token_is_renewed_before_it_expires_and_never_in_a_spin(
            issued in proptest::option::of(any::<i64>()), now in 0_i64..4_000_000_000_000, life in any::<i64>(),
            factor in 0.5_f64..=1.0, jitter in 0.0_f64..=0.25, random in 0.0_f64..=1.0,
            min_period in 0_i64..=900_000, buffer in 0_i64..=3_600_000,
        ) {
            let times = RefreshTimes { window_factor: factor, window_jitter: jitter, min_period, buffer };
            let expires = now.saturating_add(life);
            let pause = times.pause(issued, expires, now, random);
            prop_assert!(pause >= SHORTEST);
            prop_assert!(pause == SHORTEST || now.saturating_add(pause) <= expires);
        }
    }
}
