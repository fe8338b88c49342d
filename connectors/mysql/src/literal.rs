//! Points in time and keys in SQL.
//!
//! A `DATETIME` has no time zone: what clocks of `db.timezone` show is compared with it. A `TIMESTAMP` is a point in
//! time, and a session of ours sees it in UTC. Where the two differ, the literal has both; once the types of the
//! columns are known, [`in_utc`] chooses the second.

use chrono::{Datelike, NaiveDateTime};
use chrono_tz::Tz;
use volley_jdbc::{KeyKind, Timestamp};

const BEGIN: &str = "TIMESTAMP'";
const OR_UTC: &str = "'/*UTC '";
const END: &str = "'*/";
const YEARS: std::ops::RangeInclusive<i32> = 1..=9_999;

/// The literal of a time.
pub(crate) fn timestamp_literal(at: Timestamp, zone: Tz) -> String {
    let shown = written(at, zone);
    match zone {
        Tz::UTC => format!("{BEGIN}{shown}'"),
        _ => format!("{BEGIN}{shown}{OR_UTC}{}{END}", written(at, Tz::UTC)),
    }
}

/// The literal of a key. A number without quotes is compared as a number, digit by digit. A text has no character that
/// means anything in SQL; the collation of the column counts.
pub(crate) fn key_literal(kind: KeyKind, text: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|digit| "-.0123456789".contains(digit));
    match kind {
        KeyKind::Number if is_number(text) => text.to_owned(),
        KeyKind::Bytes => {
            format!("X'{}'", text.chars().filter(char::is_ascii_hexdigit).collect::<String>())
        }
        KeyKind::Number | KeyKind::Text => {
            let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("_utf8mb4 X'{digits}'")
        }
    }
}

/// The statement with the literals of columns that are points in time.
pub(crate) fn in_utc(statement: &str) -> String {
    let (mut text, mut rest) = (String::with_capacity(statement.len()), statement);
    while let Some(place) = rest.find(OR_UTC) {
        let begin = rest[..place].rfind(BEGIN).map_or(place, |begin| begin + BEGIN.len());
        text.push_str(&rest[..begin]);
        rest = &rest[place + OR_UTC.len()..];
        let end = rest.find(END).unwrap_or(rest.len());
        text.push_str(&rest[..end]);
        text.push('\'');
        rest = rest.get(end + END.len()..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// Whether a statement has literals that depend on the column.
pub(crate) fn depends_on_columns(statement: &str) -> bool {
    statement.contains(OR_UTC)
}

/// What clocks of `zone` show, within the calendar of the database.
fn written(at: Timestamp, zone: Tz) -> String {
    let shown = at.in_zone(zone).map(|(shown, _)| shown).filter(|shown| YEARS.contains(&shown.year()));
    match shown {
        Some(shown) => written_date_time(shown),
        None if at < Timestamp::from_millis(0) => "0001-01-01 00:00:00.000000".to_owned(),
        None => "9999-12-31 23:59:59.999999".to_owned(),
    }
}

fn written_date_time(shown: NaiveDateTime) -> String {
    shown.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_they_are_whatever_is_in_them() {
        assert_eq!(key_literal(KeyKind::Text, "a'é"), "_utf8mb4 X'6127c3a9'");
        assert_eq!(key_literal(KeyKind::Bytes, "00ff"), "X'00ff'");
        assert_eq!(key_literal(KeyKind::Number, "-7.50"), "-7.50");
        assert_eq!(key_literal(KeyKind::Number, "1 OR 1"), "_utf8mb4 X'31204f522031'");
    }

    #[test]
    fn times_are_what_clocks_of_the_zone_show_or_those_of_utc() {
        let at = Timestamp::from_micros(1_767_225_600_123_456);
        assert_eq!(timestamp_literal(at, Tz::UTC), "TIMESTAMP'2026-01-01 00:00:00.123456'");
        let zone: Tz = "America/New_York".parse().unwrap();
        let both = timestamp_literal(at, zone);
        assert_eq!(both, "TIMESTAMP'2025-12-31 19:00:00.123456'/*UTC '2026-01-01 00:00:00.123456'*/");
        assert!(depends_on_columns(&both) && !depends_on_columns("SELECT 1"));
        let utc = timestamp_literal(at, Tz::UTC);
        assert_eq!(in_utc(&format!("SELECT a > {both} AND a < {both};")), format!("SELECT a > {utc} AND a < {utc};"));
        assert_eq!(in_utc("SELECT 1"), "SELECT 1");
        assert_eq!(
            timestamp_literal(Timestamp::from_millis(i64::MAX), Tz::UTC),
            "TIMESTAMP'9999-12-31 23:59:59.999999'"
        );
        assert_eq!(
            timestamp_literal(Timestamp::from_millis(i64::MIN), Tz::UTC),
            "TIMESTAMP'0001-01-01 00:00:00.000000'"
        );
    }
}
