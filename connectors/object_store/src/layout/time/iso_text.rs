//! Times as texts of ISO 8601, as Joda-Time's `dateTimeParser` reads them.
//!
//! ```text
//!  date       2026-11-30   2026-11   2026   2026-334 (day of the year)   2026-W49-1   2026-W49
//!  date-time  a date, T, and a time, an offset, both or none
//!  time       20   20:15   20:15:30, the last number with a fraction behind . or ,     (T before it, without a date)
//!  offset     Z   +02   +0200   +02:00   +02:00:30
//! ```

use chrono::NaiveDate;

use super::civil_time::{day_start, week_date};
use super::zone::{Zone, parse_offset};

/// The time of a text, UTC; `None` where it is none. A text without an offset is read as a clock in `zone` shows it.
/// Where the clock shows it twice, it is the first.
pub(crate) fn parse_iso(text: &str, zone: &Zone) -> Option<i64> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let day = match date {
        "" => 0,
        _ => parse_date(date)?,
    };
    let (time, offset) = match time {
        None => ("", None),
        Some(time) => split_offset(time)?,
    };
    let time_of_day = match time {
        "" if date.is_empty() => return None,
        "" => 0,
        _ => parse_time(time)?,
    };
    let local = day.checked_add(time_of_day)?;
    match offset {
        Some(offset) => local.checked_sub(offset),
        None => Some(zone.to_utc_first(local)),
    }
}

fn parse_date(text: &str) -> Option<i64> {
    let (year, rest) = split_year(text)?;
    let date = match rest.split_once('-') {
        None if rest.is_empty() => NaiveDate::from_ymd_opt(year, 1, 1),
        Some(("", rest)) if rest.starts_with(['W', 'w']) => {
            let (week, weekday) = rest[1..].split_once('-').unwrap_or((&rest[1..], "1"));
            week_date(year, number(week, 2)?, number(weekday, 1)?)
        }
        Some(("", day)) if day.len() == 3 && !day.contains('-') => NaiveDate::from_yo_opt(year, number(day, 3)?),
        Some(("", rest)) => {
            let (month, day) = rest.split_once('-').unwrap_or((rest, "1"));
            NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?)
        }
        _ => None,
    };
    day_start(date)
}

/// A year of any number of digits, which may have a sign, and what follows it.
fn split_year(text: &str) -> Option<(i32, &str)> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (year, rest) = text.split_at(text.len() - digits.len() + length);
    Some((year.parse().ok().filter(|_| length > 0)?, rest))
}

/// A time without its offset, and the offset in milliseconds.
fn split_offset(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, Some(0)));
    }
    match time.find(['+', '-']) {
        None => Some((time, None)),
        Some(sign) => Some((&time[..sign], Some(parse_offset(&time[sign..])?))),
    }
}

/// Milliseconds of the day.
fn parse_time(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, digits)) => (whole, Some(digits)),
        None => (text, None),
    };
    let mut unit_ms = 3_600_000;
    let mut time_ms = 0;
    let parts: Vec<_> = whole.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    for (at, part) in parts.iter().enumerate() {
        let max = if at == 0 { 23 } else { 59 };
        if at > 0 {
            unit_ms /= 60;
        }
        time_ms += i64::from(number(part, 2).filter(|number| *number <= max)?) * unit_ms;
    }
    Some(time_ms + fraction.map_or(Some(0), |digits| part_of(unit_ms, digits))?)
}

/// So much of a unit as the digits behind the point say, without what is less than a millisecond.
fn part_of(unit_ms: i64, digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = &digits[..digits.len().min(9)];
    let number: i64 = digits.parse().ok()?;
    Some(number * unit_ms / 10_i64.pow(digits.len() as u32))
}

/// A number of at most so many digits.
fn number(digits: &str, max_length: usize) -> Option<u32> {
    let is_number = (1..=max_length).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_chrono_writes_is_read_back(time in -60_000_000_000_000_i64..200_000_000_000_000) {
            let utc = Zone::parse("UTC").unwrap();
            let text = DateTime::from_timestamp_millis(time).unwrap().to_rfc3339();
            prop_assert_eq!(parse_iso(&text, &utc), Some(time));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9TtZzWw:.,é]{0,24}") {
            let _ = parse_iso(&text, &Zone::parse("Europe/Berlin").unwrap());
        }
    }
}
