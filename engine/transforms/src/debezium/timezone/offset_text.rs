//! Times with an offset as text, as ISO 8601 and Java write them: `2020-01-01T11:55:30.5+01:00`.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

/// Java's largest offset, in seconds.
const LARGEST_OFFSET: i32 = 18 * 3600;

/// Seconds of an offset: `+01`, `+01:00`, `-01:00:30`. `Z` is for [`parse_time`] alone.
pub(super) fn parse_offset(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut parts = text.get(1..)?.split(':').map(two_digits);
    let (hours, minutes, seconds) =
        (parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    let offset = (hours * 60 + minutes) * 60 + seconds;
    (parts.next().is_none() && minutes < 60 && seconds < 60 && offset <= LARGEST_OFFSET).then_some(sign * offset)
}

fn two_digits(text: &str) -> Option<i32> {
    (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A time and its offset.
pub(super) fn parse_time(text: &str) -> Option<(NaiveTime, i32)> {
    let end = text.find(['Z', 'z', '+', '-'])?;
    let (time, offset) = text.split_at(end);
    let offset = if offset.eq_ignore_ascii_case("Z") { 0 } else { parse_offset(offset)? };
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, fraction),
        None => (time, ""),
    };
    let mut parts = time.split(':').map(|part| two_digits(part).and_then(|number| u32::try_from(number).ok()));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next());
    let has_fraction = time.len() < end;
    if parts.next().is_some() || fraction.len() > 9 || (has_fraction && second.is_none()) {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    let second = second.unwrap_or(Some(0))?;
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).map(|time| (time, offset))
}

/// A date and time and its offset.
pub(super) fn parse_date_time(text: &str) -> Option<(NaiveDateTime, i32)> {
    let (date, time) = text.split_once(['T', 't'])?;
    let (time, offset) = parse_time(time)?;
    let is_signed = date.starts_with(['+', '-']);
    let mut parts = date.rsplitn(3, '-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = year.trim_start_matches(['+', '-']);
    let is_fit = match digits.len() {
        4 => !year.starts_with('+'),
        5..=9 => is_signed,
        _ => false,
    };
    if !is_fit || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |text| two_digits(text).and_then(|number| u32::try_from(number).ok());
    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, number(month)?, number(day)?)?;
    Some((date.and_time(time), offset))
}

/// The text of a date and time that is the same instant as one at another offset.
pub(super) fn date_time_text(time: NaiveDateTime, offset: i32, new_offset: i32) -> Option<String> {
    let moved = time.checked_add_signed(TimeDelta::seconds(i64::from(new_offset) - i64::from(offset)))?;
    let year = match moved.year() {
        year if year > 9999 => format!("+{year}"),
        year if year < 0 => format!("-{:04}", -year),
        year => format!("{year:04}"),
    };
    let date = format!("{year}-{:02}-{:02}", moved.month(), moved.day());
    Some(format!("{date}T{}{}", clock_text(moved.time()), offset_text(new_offset)))
}

/// The text of a time that is the same moment as one at another offset.
pub(super) fn time_text(time: NaiveTime, offset: i32, new_offset: i32) -> String {
    let (moved, _) = time.overflowing_add_signed(TimeDelta::seconds(i64::from(new_offset) - i64::from(offset)));
    format!("{}{}", clock_text(moved), offset_text(new_offset))
}

fn clock_text(time: NaiveTime) -> String {
    let mut text = format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    if time.nanosecond() > 0 {
        let fraction = format!("{:09}", time.nanosecond());
        let _ = write!(text, ".{}", fraction.trim_end_matches('0'));
    }
    text
}

fn offset_text(offset: i32) -> String {
    if offset == 0 {
        return "Z".to_owned();
    }
    let (sign, seconds) = (if offset < 0 { '-' } else { '+' }, offset.abs());
    let text = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 == 0 { text } else { format!("{text}:{:02}", seconds % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_in_java() {
        let moved = |text: &str| {
            let (time, offset) = parse_date_time(text)?;
            date_time_text(time, offset, 3600)
        };
        assert_eq!(moved("2020-01-01T11:55:30.120Z").as_deref(), Some("2020-01-01T12:55:30.12+01:00"));
        assert_eq!(moved("9999-12-31t23:59z").as_deref(), Some("+10000-01-01T00:59:00+01:00"));
        assert_eq!(moved("2020-01-01T11:55:30+01:00:30").as_deref(), Some("2020-01-01T11:55:00+01:00"));
        for bad in [
            "2020-1-1T11:55:30Z",
            "2020-02-30T00:00:00Z",
            "2020-01-01T11:55:30",
            "",
            "x",
            "2020-01-01T11Z",
            "é-01-01T00:00Z",
        ] {
            assert_eq!(moved(bad), None, "{bad}");
        }
    }
}
