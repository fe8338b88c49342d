//! Times as Java's `DateTimeFormatter.ISO_INSTANT` writes them.

use chrono::DateTime;

/// Such as `2020-01-01T00:00:01Z`, or with milliseconds where there are some. One beyond all calendars is its number.
pub(super) fn iso_instant(millis: i64) -> String {
    let format = if millis % 1000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.3fZ" };
    DateTime::from_timestamp_millis(millis).map_or_else(|| millis.to_string(), |time| time.format(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_written_where_there_are_some() {
        assert_eq!(iso_instant(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso_instant(1_577_836_801_000), "2020-01-01T00:00:01Z");
        assert_eq!(iso_instant(1_577_836_801_120), "2020-01-01T00:00:01.120Z");
        assert_eq!(iso_instant(253_402_300_800_000), "+10000-01-01T00:00:00Z");
    }
}
