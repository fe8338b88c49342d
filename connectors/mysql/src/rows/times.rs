//! Dates and times.

use chrono::{Datelike, NaiveDate};
use mysql_async::Value;

use crate::parameters::ZeroDates;

const DAYS_TO_1970: i32 = 719_163;
const SECOND: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;

const NO_TIME: &str = "a value that is no date or time";
const ZERO: &str = "a date with a nought for the month or the day, which is in no calendar: set `zeroDateTimeBehavior` \
    to CONVERT_TO_NULL or ROUND in `connection.url`";

/// Days since 1970.
///
/// # Errors
/// What it is that has no place in a column of dates.
pub(super) fn days(value: &Value, zero_dates: ZeroDates) -> Result<Option<i32>, &'static str> {
    let Value::Date(year, month, day, ..) = value else { return Err(NO_TIME) };
    days_of(*year, *month, *day, zero_dates)
}

/// The first day of a year.
pub(super) fn first_day(year: i64, zero_dates: ZeroDates) -> Result<Option<i32>, &'static str> {
    match u16::try_from(year) {
        // a year that was not given
        Ok(0) => days_of(0, 0, 0, zero_dates),
        Ok(year) => days_of(year, 1, 1, zero_dates),
        Err(_) => Err(NO_TIME),
    }
}

/// Microseconds since 1970.
pub(super) fn micros(value: &Value, zero_dates: ZeroDates) -> Result<Option<i64>, &'static str> {
    let Value::Date(year, month, day, hours, minutes, seconds, micros) = value else { return Err(NO_TIME) };
    let Some(days) = days_of(*year, *month, *day, zero_dates)? else { return Ok(None) };
    let seconds = i64::from(days) * DAY_SECONDS + seconds_of(*hours, *minutes, *seconds);
    Ok(Some(seconds * SECOND + i64::from(*micros)))
}

/// Microseconds of the day.
pub(super) fn time_of_day(value: &Value) -> Result<i64, &'static str> {
    let Value::Time(is_negative, days, hours, minutes, seconds, micros) = value else { return Err(NO_TIME) };
    let time = seconds_of(*hours, *minutes, *seconds) * SECOND + i64::from(*micros);
    match (*days, *is_negative && time > 0) {
        (0, false) => Ok(time),
        (0, true) => {
            Err("a time that is negative, which no time of day is: make a number of it in a `query`, by TIME_TO_SEC")
        }
        _ => Err(
            "a time of more than 24 hours, which no time of day has: make a number of it in a `query`, by TIME_TO_SEC",
        ),
    }
}

fn days_of(year: u16, month: u8, day: u8, zero_dates: ZeroDates) -> Result<Option<i32>, &'static str> {
    match (NaiveDate::from_ymd_opt(i32::from(year), u32::from(month), u32::from(day)), zero_dates) {
        (Some(date), _) => Ok(Some(date.num_days_from_ce() - DAYS_TO_1970)),
        (None, ZeroDates::Refuse) => Err(ZERO),
        (None, ZeroDates::Null) => Ok(None),
        (None, ZeroDates::Round) => Ok(Some(1 - DAYS_TO_1970)),
    }
}

fn seconds_of(hours: u8, minutes: u8, seconds: u8) -> i64 {
    i64::from(hours) * 3_600 + i64::from(minutes) * 60 + i64::from(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_1970_and_zero_dates_are_what_is_set() {
        let date = |year, month, day| Value::Date(year, month, day, 0, 0, 0, 0);
        let read = |value: &Value| days(value, ZeroDates::Refuse);
        assert_eq!(read(&date(1970, 1, 1)), Ok(Some(0)));
        assert_eq!(read(&date(1000, 1, 1)), Ok(Some(-354_285)));
        assert_eq!(read(&date(9999, 12, 31)), Ok(Some(2_932_896)));
        for zero in [date(0, 0, 0), date(2026, 0, 0), date(2026, 1, 0)] {
            assert!(read(&zero).unwrap_err().contains("zeroDateTimeBehavior"));
            assert_eq!(days(&zero, ZeroDates::Null), Ok(None));
            assert_eq!(micros(&zero, ZeroDates::Null), Ok(None));
            // 0001-01-01
            assert_eq!(days(&zero, ZeroDates::Round), Ok(Some(-719_162)));
            assert_eq!(micros(&zero, ZeroDates::Round), Ok(Some(-719_162 * 86_400_000_000)));
        }
        assert_eq!(first_day(2155, ZeroDates::Refuse), Ok(Some(67_570)));
        assert_eq!(first_day(0, ZeroDates::Null), Ok(None));
    }

    #[test]
    fn times_are_exact_and_none_that_no_clock_shows() {
        let noon = Value::Date(1969, 12, 31, 23, 59, 59, 999_999);
        assert_eq!(micros(&noon, ZeroDates::Refuse), Ok(Some(-1)));
        let time = |is_negative, days, hours| time_of_day(&Value::Time(is_negative, days, hours, 59, 59, 999_999));
        assert_eq!(time(false, 0, 23), Ok(86_399_999_999));
        assert!(time(true, 0, 1).unwrap_err().contains("negative"));
        assert!(time(false, 34, 22).unwrap_err().contains("24 hours"));
        assert_eq!(time_of_day(&Value::Time(true, 0, 0, 0, 0, 0)), Ok(0));
        assert!(time_of_day(&Value::NULL).is_err() && days(&Value::Int(1), ZeroDates::Null).is_err());
    }
}
