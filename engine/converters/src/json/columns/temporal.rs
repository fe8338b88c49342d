//! Parses ISO 8601 text for columns with a type from the user.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Milliseconds since 1970-01-01 UTC of a date and time, separated by `T` or a space. Without a zone it is UTC. A date
/// alone means midnight. Digits beyond milliseconds are truncated.
pub(crate) fn millis_of(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"] {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Some(time.timestamp_millis());
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_millis());
        }
    }
    days_of(text).map(|days| i64::from(days) * 86_400_000)
}

/// Days since 1970-01-01 of a date.
pub(crate) fn days_of(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_forms_of_times_are_read_as_utc() {
        for text in [
            "1970-01-02T00:00:00.001Z",
            "1970-01-02T01:00:00.001+01:00",
            "1970-01-02 00:00:00.001",
            "1970-01-02T00:00:00.0019",
            "1970-01-02 00:00:00.001+0000",
        ] {
            assert_eq!(millis_of(text), Some(86_400_001), "{text}");
        }
        assert_eq!(millis_of("1970-01-02"), Some(86_400_000));
        assert_eq!(millis_of("yesterday"), None);
        assert_eq!(days_of("1969-12-31"), Some(-1));
    }
}
