//! Times as users write and read them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat};
use volley_api::{Error, Result};

/// Parses a time: milliseconds since 1970-01-01 UTC, or ISO 8601 (a date, or date and time; UTC, unless it has an offset).
///
/// # Errors
/// `Config` if it is neither.
pub fn parse_moment(text: &str) -> Result<i64> {
    let text = text.trim();
    if let Ok(millis) = text.parse::<i64>() {
        return Ok(millis);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.timestamp_millis());
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    if let Some(time) = forms.iter().find_map(|form| DateTime::parse_from_str(text, form).ok()) {
        return Ok(time.timestamp_millis());
    }
    let local = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let time = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(local, form).ok());
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
    time.or_else(day).map(|time| time.and_utc().timestamp_millis()).ok_or_else(|| {
        Error::config(format!(
            "could not read `{text}` as a time: write 2025-11-30, 2025-11-30T13:40:29Z, 2025-11-30T13:40:29+01:00 or \
             milliseconds since 1970"
        ))
    })
}

/// A time as ISO 8601 in UTC, with milliseconds; the number itself where no calendar has it.
pub fn moment_text(millis: i64) -> String {
    match DateTime::from_timestamp_millis(millis) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::Millis, true),
        None => millis.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_every_form_that_is_promised() {
        let expected = 1_764_510_029_000;
        for text in [
            "1764510029000",
            " 2025-11-30T13:40:29Z ",
            "2025-11-30T13:40:29.000Z",
            "2025-11-30T13:40:29",
            "2025-11-30 13:40:29",
            "2025-11-30T14:40:29+01:00",
            "2025-11-30T14:40:29+0100",
        ] {
            assert_eq!(parse_moment(text).unwrap(), expected, "{text}");
        }
        assert_eq!(parse_moment("2025-11-30").unwrap(), expected - (13 * 3600 + 40 * 60 + 29) * 1000);
        for text in ["2025-11-30T13:40Z", "2025-11-30T13:40", "2025-11-30T14:40+01:00"] {
            assert_eq!(parse_moment(text).unwrap(), expected - 29_000, "{text}");
        }
        for text in ["", "yesterday", "2025-13-01", "2025-11-30T25:00:00Z", "13:40"] {
            assert!(parse_moment(text).unwrap_err().to_string().contains("could not read"), "{text}");
        }
    }

    #[test]
    fn a_time_that_is_shown_can_be_given() {
        for millis in [0, -1, 1_764_510_029_123] {
            assert_eq!(parse_moment(&moment_text(millis)).unwrap(), millis);
        }
        assert_eq!(moment_text(i64::MAX), i64::MAX.to_string());
    }
}
