//! Points in time and keys in SQL.

use chrono::{Datelike, Timelike};
use chrono_tz::Tz;
use volley_jdbc::{KeyKind, Timestamp};

/// The last year of PostgreSQL's calendar, and its first: 4713 BC.
const YEARS: std::ops::RangeInclusive<i32> = -4712..=294_276;

/// A literal that takes the type of the column that it is compared with. Where that has no time zone, PostgreSQL
/// passes over the difference to UTC, so that what clocks of `zone` show counts.
pub(crate) fn timestamp_literal(at: Timestamp, zone: Tz) -> String {
    let shown = at.in_zone(zone).filter(|(shown, _)| YEARS.contains(&shown.year()));
    let Some((shown, difference)) = shown else {
        return if at < Timestamp::from_millis(0) { "'-infinity'".to_owned() } else { "'infinity'".to_owned() };
    };
    // before year 1 comes 1 BC
    let (year, era) = if shown.year() > 0 { (shown.year(), "") } else { (1 - shown.year(), " BC") };
    let (sign, zone) = if difference < 0 { ('-', -difference) } else { ('+', difference) };
    format!(
        "'{year:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}{sign}{:02}:{:02}:{:02}{era}'",
        shown.month(),
        shown.day(),
        shown.hour(),
        shown.minute(),
        shown.second(),
        shown.nanosecond() / 1_000,
        zone / 3_600,
        zone / 60 % 60,
        zone % 60,
    )
}

/// A literal without a type: it takes that of the column.
pub(crate) fn key_literal(kind: KeyKind, text: &str) -> String {
    let text = if kind == KeyKind::Bytes { format!("\\x{text}") } else { text.to_owned() };
    // whatever the session thinks of backslashes
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_they_are_whatever_is_in_them() {
        assert_eq!(key_literal(KeyKind::Text, "O'Brien\\"), "E'O''Brien\\\\'");
        assert_eq!(key_literal(KeyKind::Bytes, "00ff"), "E'\\\\x00ff'");
        assert_eq!(key_literal(KeyKind::Number, "-7"), "E'-7'");
    }

    #[test]
    fn times_are_what_clocks_of_the_zone_show() {
        let at = Timestamp::from_micros(1_767_225_600_123_456);
        assert_eq!(timestamp_literal(at, Tz::UTC), "'2026-01-01 00:00:00.123456+00:00:00'");
        let zone = "America/New_York".parse().unwrap();
        assert_eq!(timestamp_literal(at, zone), "'2025-12-31 19:00:00.123456-05:00:00'");
        let long_ago = Timestamp::from_millis(-62_198_755_200_000);
        assert_eq!(timestamp_literal(long_ago, Tz::UTC), "'0002-01-01 00:00:00.000000+00:00:00 BC'");
        assert_eq!(timestamp_literal(Timestamp::from_millis(i64::MAX), Tz::UTC), "'infinity'");
        assert_eq!(timestamp_literal(Timestamp::from_millis(i64::MIN), Tz::UTC), "'-infinity'");
    }
}
