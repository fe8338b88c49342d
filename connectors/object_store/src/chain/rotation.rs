//! When a file is completed.

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The rotation settings. Each file is judged by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RotationPolicy {
    /// `flush.size`: rows of a file, at least 1.
    pub(crate) rows: u64,
    /// `rotate.bytes`: encoded bytes.
    pub(crate) bytes: Option<usize>,
    /// `rotate.interval.ms`: between the timestamps of a file's first and last record.
    pub(crate) interval_ms: Option<i64>,
    /// `rotate.schedule.interval.ms`: of the wall clock, counted from midnight.
    pub(crate) schedule_ms: Option<i64>,
    /// `timezone`: local time minus UTC.
    pub(crate) utc_offset_ms: i64,
    /// `rotate.idle.ms`: of the wall clock, since the last row.
    pub(crate) idle_ms: Option<i64>,
}

impl RotationPolicy {
    /// The first scheduled rotation after `now`; both ms since 1970-01-01 UTC. Midnight is always one.
    pub(crate) fn next_scheduled(&self, now: i64) -> Option<i64> {
        let period = self.schedule_ms?;
        let since_midnight = (now + self.utc_offset_ms).rem_euclid(DAY_MS);
        let midnight = now - since_midnight;
        let next = (since_midnight / period).saturating_add(1).saturating_mul(period);
        Some(midnight + next.min(DAY_MS))
    }
}

/// The difference of a time zone from UTC, in ms: `UTC`, `GMT`, `Z`, or `+hh:mm`. `None`: not known.
///
/// Zones with summer time are not offered, since they would need a database that changes every year.
pub(crate) fn parse_timezone(text: &str) -> Option<i64> {
    if ["", "UTC", "Etc/UTC", "GMT", "Z"].contains(&text) {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str, max: i64| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number <= max)
    };
    Some(sign * (number(hours, 18)? * 60 + number(minutes, 59)?) * 60_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scheduled(schedule_ms: i64, utc_offset_ms: i64) -> RotationPolicy {
        let off =
            RotationPolicy { rows: 1, bytes: None, interval_ms: None, schedule_ms: None, utc_offset_ms, idle_ms: None };
        RotationPolicy { schedule_ms: Some(schedule_ms), ..off }
    }

    #[test]
    fn the_schedule_counts_from_local_midnight() {
        let hour = 3_600_000;
        assert_eq!(scheduled(hour, 0).next_scheduled(5 * hour + 1), Some(6 * hour));
        assert_eq!(scheduled(hour, 0).next_scheduled(5 * hour), Some(6 * hour));
        // 7 h steps: 0, 7, 14, 21, and midnight again
        assert_eq!(scheduled(7 * hour, 0).next_scheduled(22 * hour), Some(24 * hour));
        // at +02:00 midnight is at 22:00 UTC
        assert_eq!(scheduled(24 * hour, 2 * hour).next_scheduled(21 * hour), Some(22 * hour));
    }

    #[test]
    fn time_zones_are_fixed_differences() {
        assert_eq!(parse_timezone("UTC"), Some(0));
        assert_eq!(parse_timezone("+02:00"), Some(7_200_000));
        assert_eq!(parse_timezone("-05:30"), Some(-19_800_000));
        for bad in ["Europe/Berlin", "+2", "+02:60", "+99:00", "é", "+é2:00"] {
            assert_eq!(parse_timezone(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_next_rotation_is_ahead_and_at_most_a_period_away(
            now in 0i64..4_000_000_000_000, period in 1i64..200_000_000, offset in -64_800_000i64..64_800_000,
        ) {
            let next = scheduled(period, offset).next_scheduled(now).unwrap();
            prop_assert!(next > now && next - now <= period.min(DAY_MS));
        }
    }
}
