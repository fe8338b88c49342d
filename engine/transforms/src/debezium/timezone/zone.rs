//! A time zone: an offset, or a place.

use arrow::array::timezone::Tz;
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use volley_api::{Error, Result};

use super::offset_text::parse_offset;

/// Longest gap that a zone has had, in hours: islands that moved to the other side of the date line.
const LONGEST_GAP: i64 = 25;

/// The tables of zones end before.
const FIRST_UNKNOWN_YEAR: i32 = 2100;

/// A zone, with the offset that it has at a time.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    /// Seconds east of Greenwich.
    Fixed(i32),
    Place(Tz),
}

impl Zone {
    /// # Errors
    /// `Config` if the text is neither an offset nor a place.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let invalid = || {
            Error::config(format!(
                "`{text}` is no time zone: give a place like Europe/Berlin, or an offset like +08:00"
            ))
            .with_exception("io.debezium.DebeziumException")
        };
        let is_offset = text.starts_with(['+', '-']);
        if is_offset {
            let digits = text[1..].split(':').map(str::len).collect::<Vec<_>>();
            if !(2..=3).contains(&digits.len()) || digits.iter().any(|len| *len != 2) {
                return Err(invalid());
            }
            let is_digits = text[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
            let offset = parse_offset(text).filter(|_| is_digits);
            return offset.map(Self::Fixed).ok_or_else(|| match is_digits {
                true => Error::config(format!("offset {text} is not within -18:00 and +18:00"))
                    .with_exception("java.time.DateTimeException"),
                false => invalid(),
            });
        }
        text.parse().map(Self::Place).map_err(|_| invalid())
    }

    /// The offset of a local time, in seconds. In a gap, and where clocks show a time twice, it is that from before.
    pub(super) fn offset_of_local(&self, local: NaiveDateTime) -> i32 {
        let place = match self {
            Self::Fixed(seconds) => return *seconds,
            Self::Place(place) => place,
        };
        let local = in_known_year(local);
        let before = (0..=LONGEST_GAP).filter_map(|hours| local.checked_sub_signed(TimeDelta::hours(hours)));
        let offset = before.filter_map(|local| place.offset_from_local_datetime(&local).earliest()).next();
        offset.map_or(0, |offset| offset.fix().local_minus_utc())
    }

    /// The offset at an instant, in milliseconds since 1970-01-01 UTC.
    pub(super) fn offset_at(&self, millis: i64) -> i32 {
        match (self, DateTime::from_timestamp_millis(millis)) {
            (Self::Fixed(seconds), _) => *seconds,
            (Self::Place(place), Some(instant)) => {
                let offset: FixedOffset = place.offset_from_utc_datetime(&instant.naive_utc()).fix();
                offset.local_minus_utc()
            }
            (Self::Place(_), None) => 0,
        }
    }
}

/// The same time of a year whose rules are known. From 2100 on that is a year which begins on the same day of the week and is as
/// long, since rules go by days of the week.
fn in_known_year(local: NaiveDateTime) -> NaiveDateTime {
    let begin = |year| NaiveDate::from_ymd_opt(year, 1, 1).map(|day| (day.weekday(), day.leap_year()));
    if local.year() < FIRST_UNKNOWN_YEAR {
        return local;
    }
    let mut alike = (FIRST_UNKNOWN_YEAR - 40..FIRST_UNKNOWN_YEAR).filter(|year| begin(*year) == begin(local.year()));
    alike.next().and_then(|year| local.with_year(year)).unwrap_or(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(zone: &str, local: &str) -> i32 {
        Zone::parse(zone).unwrap().offset_of_local(local.parse().unwrap())
    }

    #[test]
    fn offsets_in_gaps_and_overlaps_are_those_from_before() {
        assert_eq!(offset("Europe/Berlin", "2020-03-29T02:30:00"), 3600);
        assert_eq!(offset("Europe/Berlin", "2020-10-25T02:30:00"), 7200);
        assert_eq!(offset("Europe/Berlin", "2020-10-25T03:00:00"), 3600);
        assert_eq!(offset("Pacific/Apia", "2011-12-30T12:00:00"), -36000);
        assert_eq!(offset("Europe/Berlin", "2120-07-01T12:00:00"), 7200);
        assert_eq!(offset("+05:30", "2020-10-25T03:00:00"), 19800);
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in ["+5", "Z", "GMT+2", "nope", "+aa:bb", "+18:01", "+01:60", "+1:000"] {
            assert!(Zone::parse(text).is_err(), "{text}");
        }
    }
}
