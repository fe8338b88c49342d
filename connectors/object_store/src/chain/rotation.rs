//! When a file is completed.

use crate::layout::Zone;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The rotation settings. Each file is judged by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RotationPolicy {
    /// `flush.size`: rows of a file, at least 1.
    pub(crate) rows: u64,
    /// `rotate.bytes`: encoded bytes.
    pub(crate) bytes: Option<usize>,
    /// `rotate.interval.ms`: between the timestamps of a file's first and last record.
    pub(crate) interval_ms: Option<i64>,
    /// Whether the timestamps are those of the wall clock, so that the interval is over without a further record.
    pub(crate) interval_by_clock: bool,
    /// `rotate.schedule.interval.ms`: of the wall clock, counted from midnight.
    pub(crate) schedule_ms: Option<i64>,
    /// `timezone`: whose midnight counts.
    pub(crate) zone: Zone,
    /// `rotate.idle.ms`: of the wall clock, since the last row.
    pub(crate) idle_ms: Option<i64>,
}

impl RotationPolicy {
    /// The first scheduled rotation after `now`; both ms since 1970-01-01 UTC. Midnight is always one.
    pub(crate) fn next_scheduled(&self, now: i64) -> Option<i64> {
        let period = self.schedule_ms?;
        let offset = self.zone.offset_at(now);
        let since_midnight = (now + offset).rem_euclid(DAY_MS);
        let next = (since_midnight / period).saturating_add(1).saturating_mul(period).min(DAY_MS);
        let next = now - since_midnight + next;
        // the clock may be changed in between
        let changed = next + offset - self.zone.offset_at(next);
        Some(if changed > now { changed } else { next })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scheduled(schedule_ms: i64, zone: &str) -> RotationPolicy {
        let zone = Zone::parse(zone).unwrap();
        RotationPolicy {
            rows: 1,
            bytes: None,
            interval_ms: None,
            interval_by_clock: false,
            schedule_ms: Some(schedule_ms),
            zone,
            idle_ms: None,
        }
    }

    #[test]
    fn the_schedule_counts_from_local_midnight() {
        let hour = 3_600_000;
        assert_eq!(scheduled(hour, "UTC").next_scheduled(5 * hour + 1), Some(6 * hour));
        assert_eq!(scheduled(hour, "UTC").next_scheduled(5 * hour), Some(6 * hour));
        // 7 h steps: 0, 7, 14, 21, and midnight again
        assert_eq!(scheduled(7 * hour, "UTC").next_scheduled(22 * hour), Some(24 * hour));
        // at +02:00 midnight is at 22:00 UTC
        assert_eq!(scheduled(24 * hour, "+02:00").next_scheduled(21 * hour), Some(22 * hour));
    }

    #[test]
    fn midnight_is_that_of_the_place_also_on_days_with_23_and_25_hours() {
        let hour = 3_600_000;
        let daily = scheduled(24 * hour, "Europe/Berlin");
        // 2026-03-29 has 23 hours there, from 23:00 UTC of the day before to 22:00 UTC
        let spring = 1_774_738_800_000;
        assert_eq!(daily.next_scheduled(spring), Some(spring + 23 * hour));
        // 2026-10-25 has 25 hours
        let autumn = 1_792_879_200_000;
        assert_eq!(daily.next_scheduled(autumn), Some(autumn + 25 * hour));
        assert_eq!(daily.next_scheduled(autumn + 24 * hour + 1), Some(autumn + 25 * hour));
    }

    proptest! {
        #[test]
        fn the_next_rotation_is_ahead_and_at_most_a_period_away(
            now in 0i64..4_000_000_000_000, period in 1i64..200_000_000,
            zone in proptest::sample::select(vec!["UTC", "+05:30", "-11:00", "Europe/Berlin", "America/New_York"]),
        ) {
            let next = scheduled(period, zone).next_scheduled(now).unwrap();
            // an hour more on the day on which the clock is set back
            prop_assert!(next > now && next - now <= period.min(DAY_MS) + 3_600_000);
        }
    }
}
