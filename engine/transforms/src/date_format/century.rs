//! The hundred years that years of two digits are of: from 80 years ago on.

use super::calendar::Date;

const YEARS_BACK: i64 = 80;
const MILLIS_PER_DAY: i64 = 86_400_000;

/// A hundred years, from a time on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Century {
    start: i64,
    first_year: i64,
}

impl Century {
    /// The one that lies around a time, in milliseconds since 1970-01-01 UTC.
    pub(crate) fn around(now: i64) -> Self {
        let today = Date::of(now.div_euclid(MILLIS_PER_DAY));
        let first_year = today.year - YEARS_BACK;
        let days = Date::days(first_year, today.month, today.day);
        Self { start: days * MILLIS_PER_DAY + now.rem_euclid(MILLIS_PER_DAY), first_year }
    }

    /// The year of two digits.
    pub(crate) fn year(self, digits: i64) -> i64 {
        let within = self.first_year % 100;
        self.first_year - within + digits + if digits < within { 100 } else { 0 }
    }

    /// Whether a part of the year is before the century: then it is that of a hundred years later.
    pub(crate) fn is_split(self, year: i64) -> bool {
        year == self.first_year
    }

    /// Whether a time is before it.
    pub(crate) fn is_after(self, millis: i64) -> bool {
        millis < self.start
    }
}
