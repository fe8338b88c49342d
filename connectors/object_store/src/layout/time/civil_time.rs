//! A time as a calendar and a clock show it.

use chrono::{Datelike, NaiveDate, Weekday};

const DAY_MS: i64 = 86_400_000;
/// The Gregorian calendar repeats itself, weekdays and all, after so many years.
const CYCLE_YEARS: i64 = 400;
const CYCLE_DAYS: i64 = 146_097;
/// 1970-01-01 in days since the year 0 ended.
const UNIX_EPOCH_FROM_CE: i32 = 719_163;

/// The parts of a time in the Gregorian calendar, which goes back before its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CivilTime {
    /// 0 is the year before 1.
    pub(crate) year: i64,
    /// From 1 on, as the others of the calendar.
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) day_of_year: u32,
    /// Monday is 1.
    pub(crate) weekday: u32,
    /// The year of the ISO week.
    pub(crate) week_year: i64,
    /// The ISO week.
    pub(crate) week: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) milli: u32,
}

impl CivilTime {
    /// The parts of `local_ms`. Any number has some.
    pub(crate) fn of(local_ms: i64) -> Self {
        let (days, ms_of_day) = (local_ms.div_euclid(DAY_MS), local_ms.rem_euclid(DAY_MS) as u32);
        let (cycles, day_of_cycle) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS) as i32);
        let date = NaiveDate::from_num_days_from_ce_opt(UNIX_EPOCH_FROM_CE + day_of_cycle).unwrap_or_default();
        let year = |year: i32| i64::from(year) + cycles * CYCLE_YEARS;
        let week = date.iso_week();
        Self {
            year: year(date.year()),
            month: date.month(),
            day: date.day(),
            day_of_year: date.ordinal(),
            weekday: date.weekday().number_from_monday(),
            week_year: year(week.year()),
            week: week.week(),
            hour: ms_of_day / 3_600_000,
            minute: ms_of_day / 60_000 % 60,
            second: ms_of_day / 1_000 % 60,
            milli: ms_of_day % 1_000,
        }
    }
}

/// The local time of the start of a day; `None` where there is no such day.
pub(crate) fn day_start(date: Option<NaiveDate>) -> Option<i64> {
    let date = date?;
    Some(i64::from(date.num_days_from_ce() - UNIX_EPOCH_FROM_CE) * DAY_MS)
}

/// A date by year, ISO week and day of the week, which is 1 for Monday.
pub(crate) fn week_date(year: i32, week: u32, weekday: u32) -> Option<NaiveDate> {
    let weekday = Weekday::try_from(u8::try_from(weekday.checked_sub(1)?).ok()?).ok()?;
    NaiveDate::from_isoywd_opt(year, week, weekday)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Timelike};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_time_have_parts() {
        let last = CivilTime::of(i64::MAX);
        assert_eq!((last.year, last.month, last.day, last.milli), (292_278_994, 8, 17, 807));
        let first = CivilTime::of(i64::MIN);
        assert_eq!((first.year, first.month, first.day, first.milli), (-292_275_055, 5, 16, 192));
    }

    proptest! {
        #[test]
        fn parts_are_those_of_chrono(local_ms in -8_000_000_000_000_000_i64..8_000_000_000_000_000) {
            let (time, expected) = (CivilTime::of(local_ms), DateTime::from_timestamp_millis(local_ms).unwrap());
            prop_assert_eq!((time.year, time.month, time.day), (expected.year().into(), expected.month(), expected.day()));
            let week = expected.iso_week();
            prop_assert_eq!((time.week_year, time.week), (week.year().into(), week.week()));
            prop_assert_eq!((time.day_of_year, time.weekday), (expected.ordinal(), expected.weekday().number_from_monday()));
            prop_assert_eq!((time.hour, time.minute, time.second), (expected.hour(), expected.minute(), expected.second()));
            prop_assert_eq!(i64::from(time.milli), local_ms.rem_euclid(1000));
            prop_assert_eq!(day_start(Some(expected.date_naive())), Some(local_ms.div_euclid(DAY_MS) * DAY_MS));
        }
    }
}
