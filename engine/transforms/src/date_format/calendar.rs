//! Days and dates: Gregorian from 15 October 1582 on, Julian before. Years are astronomical: 0 is 1 BC.

/// 15 October 1582, in days since 1970-01-01.
const CUTOVER: i64 = -141_427;
/// From 1 March of the year 0 to 1970-01-01, in each calendar.
const GREGORIAN_EPOCH: i64 = 719_468;
const JULIAN_EPOCH: i64 = 719_470;

/// A date; months and days count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
}

/// Years begin on 1 March here, so that a leap day is the last of its year.
fn day_within(month: i64, day: i64) -> i64 {
    (153 * ((month + 9) % 12) + 2) / 5 + day - 1
}

fn marched(year: i64, month: i64) -> i64 {
    if month <= 2 { year - 1 } else { year }
}

fn gregorian_days(year: i64, month: i64, day: i64) -> i64 {
    let marched = marched(year, month);
    let leap_days = marched.div_euclid(4) - marched.div_euclid(100) + marched.div_euclid(400);
    365 * marched + leap_days + day_within(month, day) - GREGORIAN_EPOCH
}

fn julian_days(year: i64, month: i64, day: i64) -> i64 {
    let marched = marched(year, month);
    365 * marched + marched.div_euclid(4) + day_within(month, day) - JULIAN_EPOCH
}

impl Date {
    /// The days since 1970-01-01. Months and days beyond their bounds go on counting.
    pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
        let (year, month) = (year + (month - 1).div_euclid(12), (month - 1).rem_euclid(12) + 1);
        let first = gregorian_days(year, month, 1) + day - 1;
        if first >= CUTOVER { first } else { julian_days(year, month, 1) + day - 1 }
    }

    /// The date of a day.
    pub(crate) fn of(days: i64) -> Self {
        let (year, day) = if days >= CUTOVER {
            let days = days + GREGORIAN_EPOCH;
            let (era, within) = (days.div_euclid(146_097), days.rem_euclid(146_097));
            let year = (within - within / 1_460 + within / 36_524 - within / 146_096) / 365;
            (era * 400 + year, within - (365 * year + year / 4 - year / 100))
        } else {
            let days = days + JULIAN_EPOCH;
            let (era, within) = (days.div_euclid(1_461), days.rem_euclid(1_461));
            let year = (within - within / 1_460) / 365;
            (era * 4 + year, within - 365 * year)
        };
        let marched_month = (5 * day + 2) / 153;
        let month = (marched_month + 2) % 12 + 1;
        Self { year: if month <= 2 { year + 1 } else { year }, month, day: day - (153 * marched_month + 2) / 5 + 1 }
    }

    /// Which day of its year it is, from 1 on.
    pub(crate) fn day_of_year(self) -> i64 {
        Self::days(self.year, self.month, self.day) - Self::days(self.year, 1, 1) + 1
    }
}

/// The day of the week, Sunday is 0.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// The Sunday that begins the week of a day.
pub(crate) fn week_start(days: i64) -> i64 {
    days - weekday(days)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_day_after_4_october_1582_is_the_15th() {
        assert_eq!(Date::of(CUTOVER), Date { year: 1582, month: 10, day: 15 });
        assert_eq!(Date::of(CUTOVER - 1), Date { year: 1582, month: 10, day: 4 });
        assert_eq!(Date::of(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!((weekday(0), weekday(-4), week_start(0)), (4, 0, -4));
        assert_eq!(Date::days(2024, 14, 30), Date::days(2025, 3, 2));
    }

    proptest! {
        #[test]
        fn dates_and_days_are_one_to_one(days in -4_000_000i64..4_000_000) {
            let date = Date::of(days);
            prop_assert_eq!(Date::days(date.year, date.month, date.day), days);
            let next = Date::of(days + 1);
            prop_assert!(next.day == date.day + 1 || next.day == 1 || days + 1 == CUTOVER);
        }
    }
}
