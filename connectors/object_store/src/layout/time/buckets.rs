//! Spans of time of equal length, counted in local time.

use rustc_hash::FxHashMap;

use super::zone::{Window, Zone};

/// More windows than these are not remembered.
const MAX_KNOWN_WINDOWS: usize = 1024;

/// Cuts time into buckets: a bucket starts at a multiple of the duration in local time.
///
/// Confluent divides as Java does, towards zero. So before 1970 a bucket is named after its last millisecond, and the
/// bucket 0 is twice as long as the others.
#[derive(Debug)]
pub(crate) struct Buckets {
    duration_ms: i64,
    zone: Zone,
    windows: FxHashMap<i64, Window>,
}

/// A bucket, as far as the zone's offset is known not to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The local time that names the bucket.
    pub(crate) start: i64,
    /// The first time, UTC.
    from: i64,
    /// The time behind the last, UTC.
    until: i64,
}

impl Bucket {
    /// Whether a time, UTC, is known to be in this bucket. Some times of the bucket may not be known.
    pub(crate) fn contains(&self, utc_ms: i64) -> bool {
        (self.from..self.until).contains(&utc_ms)
    }
}

impl Buckets {
    /// Buckets of `duration_ms`, which MUST be positive.
    pub(crate) fn new(duration_ms: i64, zone: Zone) -> Self {
        Self { duration_ms, zone, windows: FxHashMap::default() }
    }

    /// The bucket of a time, UTC.
    pub(crate) fn bucket_of(&mut self, utc_ms: i64) -> Bucket {
        if self.windows.len() >= MAX_KNOWN_WINDOWS {
            self.windows.clear();
        }
        let number = Window::number_of(utc_ms);
        let span = self.windows.entry(number).or_insert_with(|| self.zone.window(number)).span_at(utc_ms);
        let start = utc_ms.saturating_add(span.offset_ms) / self.duration_ms * self.duration_ms;
        let (from, until) = self.local_times(start);
        Bucket {
            start,
            from: from.saturating_sub(span.offset_ms).max(span.from),
            until: until.saturating_sub(span.offset_ms).min(span.until),
        }
    }

    /// The first local time of a bucket, and that behind the last.
    fn local_times(&self, start: i64) -> (i64, i64) {
        let duration = self.duration_ms;
        (
            if start > 0 { start } else { start.saturating_sub(duration - 1) },
            if start < 0 { start + 1 } else { start.saturating_add(duration) },
        )
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn before_1970_a_bucket_is_named_after_its_end() {
        let mut buckets = Buckets::new(1000, Zone::parse("UTC").unwrap());
        let starts =
            [-2001, -2000, -1999, -1001, -1000, -999, -1, 0, 999, 1000].map(|time| buckets.bucket_of(time).start);
        assert_eq!(starts, [-2000, -2000, -1000, -1000, -1000, 0, 0, 0, 0, 1000]);
    }

    #[test]
    fn the_ends_of_time_are_in_buckets() {
        for zone in ["UTC", "Europe/Berlin", "-08:00"] {
            for duration in [1, 3_600_000, i64::MAX] {
                let mut buckets = Buckets::new(duration, Zone::parse(zone).unwrap());
                for time in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
                    buckets.bucket_of(time);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_time_has_the_bucket_that_its_own_offset_gives(
            zone in prop_oneof![
                proptest::sample::select(TZ_VARIANTS.to_vec()).prop_map(|zone| zone.name().to_owned()),
                Just("+05:45".to_owned()),
            ],
            duration in prop_oneof![Just(3_600_000_i64), Just(86_400_000), 1i64..200_000_000],
            base in -3_000_000_000_000_i64..3_000_000_000_000,
            steps in proptest::collection::vec(-20_000_000_i64..20_000_000, 1..30),
        ) {
            let zone = Zone::parse(&zone).unwrap();
            let mut buckets = Buckets::new(duration, zone.clone());
            let slow = |time: i64| (time + zone.offset_at(time)) / duration * duration;
            for time in steps.iter().map(|step| base + step) {
                let bucket = buckets.bucket_of(time);
                prop_assert_eq!(bucket.start, slow(time));
                prop_assert!(bucket.contains(time));
                // the edges of what is known are in it, too
                prop_assert_eq!((slow(bucket.from), slow(bucket.until - 1)), (bucket.start, bucket.start));
            }
        }
    }
}
