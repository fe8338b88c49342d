//! A point in time, as exact as a database has it.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

const NANOS: i128 = 1_000_000_000;

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 UTC, rounded down.
    seconds: i64,
    /// Nanoseconds of the second.
    nanos: u32,
}

impl Timestamp {
    /// So many milliseconds after 1970-01-01 UTC.
    pub fn from_millis(millis: i64) -> Self {
        Self { seconds: millis.div_euclid(1_000), nanos: (millis.rem_euclid(1_000) * 1_000_000) as u32 }
    }

    /// So many microseconds after 1970-01-01 UTC.
    pub fn from_micros(micros: i64) -> Self {
        Self { seconds: micros.div_euclid(1_000_000), nanos: (micros.rem_euclid(1_000_000) * 1_000) as u32 }
    }

    /// So many nanoseconds after 1970-01-01 UTC.
    pub fn from_nanos(nanos: i64) -> Self {
        Self { seconds: nanos.div_euclid(NANOS as i64), nanos: nanos.rem_euclid(NANOS as i64) as u32 }
    }

    /// What Java stores of a `java.sql.Timestamp`: milliseconds since 1970, and the nanoseconds of the second if they
    /// are known.
    pub fn from_java(millis: i64, nanos: Option<u32>) -> Self {
        let timestamp = Self::from_millis(millis);
        Self { nanos: nanos.filter(|nanos| i128::from(*nanos) < NANOS).unwrap_or(timestamp.nanos), ..timestamp }
    }

    /// Milliseconds since 1970-01-01 UTC, rounded down.
    pub fn millis(self) -> i64 {
        self.seconds.saturating_mul(1_000).saturating_add(i64::from(self.nanos / 1_000_000))
    }

    /// Nanoseconds of the second.
    pub fn nanos_of_second(self) -> u32 {
        self.nanos
    }

    /// The time so many milliseconds before.
    #[must_use]
    pub fn minus_millis(self, millis: i64) -> Self {
        let nanos = i128::from(self.seconds) * NANOS + i128::from(self.nanos) - i128::from(millis) * 1_000_000;
        let seconds = nanos.div_euclid(NANOS).clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        Self { seconds, nanos: nanos.rem_euclid(NANOS) as u32 }
    }

    /// Date and time that clocks of `zone` show then, and their difference to UTC in seconds; `None` where the
    /// calendar ends.
    pub fn in_zone(self, zone: Tz) -> Option<(NaiveDateTime, i32)> {
        let time = DateTime::from_timestamp(self.seconds, self.nanos)?.with_timezone(&zone);
        Some((time.naive_local(), time.offset().fix().local_minus_utc()))
    }

    /// When clocks of `zone` show what clocks of UTC show at this time. Of two such times it is the first, as in
    /// Java; a time that is skipped counts on from before the gap.
    #[must_use]
    pub fn when_shown_in(self, zone: Tz) -> Self {
        if zone == Tz::UTC {
            return self;
        }
        let Some(shown) = DateTime::from_timestamp(self.seconds, self.nanos) else { return self };
        let shown = shown.naive_utc();
        let difference = match zone.offset_from_local_datetime(&shown) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset.fix().local_minus_utc(),
            LocalResult::None => {
                let before = shown.checked_sub_signed(TimeDelta::days(1)).unwrap_or(shown);
                zone.offset_from_local_datetime(&before).earliest().map_or(0, |offset| offset.fix().local_minus_utc())
            }
        };
        Self { seconds: self.seconds - i64::from(difference), nanos: self.nanos }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_java_has_stored_comes_back_to_the_nanosecond() {
        let at = Timestamp::from_micros(1_700_000_000_123_456);
        assert_eq!((at.millis(), at.nanos_of_second()), (1_700_000_000_123, 123_456_000));
        assert_eq!(Timestamp::from_java(at.millis(), Some(at.nanos_of_second())), at);
        let before = Timestamp::from_micros(-1);
        assert_eq!((before.millis(), before.nanos_of_second()), (-1, 999_999_000));
        assert_eq!(Timestamp::from_java(before.millis(), Some(999_999_000)), before);
        assert_eq!(Timestamp::from_java(5, None), Timestamp::from_millis(5));
        assert_eq!(Timestamp::from_nanos(-1).millis(), -1);
        assert_eq!(Timestamp::from_millis(1).minus_millis(1_002), Timestamp::from_millis(-1_001));
    }

    #[test]
    fn a_wall_clock_is_read_as_java_reads_it() {
        let zone: Tz = "Europe/Zurich".parse().unwrap();
        let at = |text: &str| Timestamp::from_micros(text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_micros());
        let read = |text: &str| at(text).when_shown_in(zone);
        assert_eq!(read("2026-01-01T12:00:00Z"), at("2026-01-01T11:00:00Z"));
        // twice on the clock: the first
        assert_eq!(read("2026-10-25T02:30:00Z"), at("2026-10-25T00:30:00Z"));
        // never on the clock
        assert_eq!(read("2026-03-29T02:30:00Z"), at("2026-03-29T01:30:00Z"));
        let (shown, difference) = at("2026-01-01T11:00:00Z").in_zone(zone).unwrap();
        assert_eq!((shown.to_string().as_str(), difference), ("2026-01-01 12:00:00", 3600));
    }
}
