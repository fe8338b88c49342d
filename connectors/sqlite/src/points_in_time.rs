//! Dates and times as texts and numbers.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// 1970-01-01 in Julian days.
const JULIAN_1970: f64 = 2_440_587.5;
const DAY_MILLIS: f64 = 86_400_000.0;
/// The length of `2026-01-31`.
pub(crate) const DATE_LENGTH: usize = 10;

/// Microseconds since 1970 of a text such as `2026-01-31 23:59:59.123`; the time, its seconds and their fraction may be
/// missing, a `T` may separate, and a difference to UTC may follow. Without one it is UTC, as it is for SQLite's own
/// functions.
pub(crate) fn micros_of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let date: NaiveDate = text.get(..DATE_LENGTH)?.parse().ok()?;
    let rest = text.get(DATE_LENGTH..)?.trim_start_matches(['T', ' ']);
    let (time, offset) = match rest.find(['Z', '+', '-']) {
        Some(place) => (rest[..place].trim_end(), offset_minutes(&rest[place..])?),
        None => (rest, 0),
    };
    let time = match time {
        "" => NaiveTime::MIN,
        time => time_formats().iter().find_map(|format| NaiveTime::parse_from_str(time, format).ok())?,
    };
    let at = NaiveDateTime::new(date, time).checked_sub_signed(TimeDelta::minutes(offset))?;
    Some(at.and_utc().timestamp_micros())
}

fn time_formats() -> [&'static str; 2] {
    ["%H:%M:%S%.f", "%H:%M"]
}

/// `Z`, `+01:00`, `-0330` or `+01`, in minutes.
fn offset_minutes(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, digits) = text.split_at_checked(1)?;
    let digits = digits.replace(':', "");
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { minutes.parse::<i64>().ok()? };
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes;
    Some(if sign == "-" { -minutes } else { minutes })
}

/// Microseconds since 1970 of a Julian day, which is exact to the millisecond.
pub(crate) fn micros_of_julian_day(day: f64) -> Option<i64> {
    let millis = ((day - JULIAN_1970) * DAY_MILLIS).round();
    // what is too large for one becomes the largest
    (millis as i64).checked_mul(1_000)
}

/// The Julian day of a time.
pub(crate) fn julian_day(micros: i64) -> f64 {
    micros as f64 / 1_000.0 / DAY_MILLIS + JULIAN_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_they_are_usually_written() {
        let midnight = 1_769_817_600_000_000;
        for (text, micros) in [
            ("2026-01-31", midnight),
            ("2026-01-31 00:01", midnight + 60_000_000),
            ("2026-01-31 00:00:01", midnight + 1_000_000),
            ("2026-01-31T00:00:00.123456Z", midnight + 123_456),
            ("2026-01-31 00:00:00.5 +01:00", midnight + 500_000 - 3_600_000_000),
            ("2026-01-31 00:00:00-0130", midnight + 5_400_000_000),
            ("1969-12-31 23:59:59.999", -1_000),
        ] {
            assert_eq!(micros_of_text(text), Some(micros), "{text}");
        }
        for text in ["", "yesterday", "2026-02-30", "2026-01-31 25:00", "31.01.2026 00:00", "2026-01-31 00:00 +x", "é"]
        {
            assert_eq!(micros_of_text(text), None, "{text}");
        }
    }

    #[test]
    fn julian_days_begin_at_noon() {
        assert_eq!(micros_of_julian_day(2_440_587.5), Some(0));
        assert_eq!(micros_of_julian_day(julian_day(1_769_817_600_123_000)), Some(1_769_817_600_123_000));
        assert_eq!(micros_of_julian_day(f64::INFINITY), None);
    }
}
