//! Where a bounded sink begins and ends: the keys `volley.bounded.start` and `volley.bounded.end`.

use volley_api::{ConfigMap, ConfigValue, Error, Result};
use volley_kafka::LogPlace;

use super::moment::parse_moment;

pub(crate) const BOUNDED_START: &str = "volley.bounded.start";
pub(crate) const BOUNDED_END: &str = "volley.bounded.end";

const OFFSET: &str = "offset:";
const TIMESTAMP: &str = "timestamp:";

/// From here on a number without a word before it is not taken as an offset: in milliseconds it is a time after 2001.
const FIRST_DOUBTFUL: i64 = 1_000_000_000_000;

/// The part of its topics that a bounded sink reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundedRange {
    /// Where partitions begin of which the group has committed nothing; `None`: where `auto.offset.reset` says.
    pub start: Option<LogPlace>,
    /// Where all end.
    pub end: LogPlace,
}

impl Default for BoundedRange {
    fn default() -> Self {
        Self { start: None, end: LogPlace::End }
    }
}

impl BoundedRange {
    /// The range in a connector's configuration, which has no variables any more.
    ///
    /// # Errors
    /// `Config`, naming the key that is wrong.
    pub fn of(config: &ConfigMap) -> Result<Self> {
        let value = |key: &str| config.get(key).map(|text| text.trim()).filter(|text| !text.is_empty());
        let wrong = |key, message| Error::config(format!("invalid `{key}`: {message}"));
        let start = value(BOUNDED_START).map(parse_bounded_start).transpose();
        let end = value(BOUNDED_END).map(parse_bounded_end).transpose();
        Ok(Self {
            start: start.map_err(|message| wrong(BOUNDED_START, message))?.flatten(),
            end: end.map_err(|message| wrong(BOUNDED_END, message))?.unwrap_or(LogPlace::End),
        })
    }
}

/// Parses a start: `committed` (`None`), `earliest`, an offset or a time.
///
/// # Errors
/// What is wrong, and what can be written.
pub fn parse_bounded_start(text: &str) -> std::result::Result<Option<LogPlace>, String> {
    match text.trim() {
        "committed" => Ok(None),
        "earliest" => Ok(Some(LogPlace::First)),
        text => parse_place(text, "committed, earliest").map(Some),
    }
}

/// Parses an end: `now`, an offset or a time.
///
/// # Errors
/// What is wrong, and what can be written.
pub fn parse_bounded_end(text: &str) -> std::result::Result<LogPlace, String> {
    match text.trim() {
        "now" => Ok(LogPlace::End),
        text => parse_place(text, "now"),
    }
}

fn parse_place(text: &str, words: &str) -> std::result::Result<LogPlace, String> {
    let number = |digits: &str| digits.trim().parse::<i64>().ok();
    if let Some(digits) = text.strip_prefix(OFFSET) {
        let offset = number(digits).filter(|offset| *offset >= 0);
        return offset.map(LogPlace::Offset).ok_or_else(|| format!("`{OFFSET}` needs a whole number from 0 on"));
    }
    if let Some(digits) = text.strip_prefix(TIMESTAMP) {
        return number(digits)
            .map(LogPlace::Time)
            .ok_or_else(|| format!("`{TIMESTAMP}` needs a whole number of milliseconds since 1970"));
    }
    match number(text) {
        Some(offset) if offset < 0 => Err(format!("an offset is at least 0, and `{text}` is not")),
        Some(offset) if offset >= FIRST_DOUBTFUL => Err(format!(
            "`{text}` looks like a time in milliseconds: write `{TIMESTAMP}{text}` for that, or `{OFFSET}{text}`"
        )),
        Some(offset) => Ok(LogPlace::Offset(offset)),
        None => parse_moment(text).map(LogPlace::Time).map_err(|_| {
            format!(
                "write {words}, an offset, or a time such as 2026-11-30, 2026-11-30T08:00:00Z, 2026-11-30T08:00+01:00 or \
                 {TIMESTAMP}1796025600000"
            )
        }),
    }
}

/// Checks a value of `volley.bounded.start`.
pub(super) fn check_start(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) => parse_bounded_start(text).map(drop),
        _ => Ok(()),
    }
}

/// Checks a value of `volley.bounded.end`.
pub(super) fn check_end(value: &ConfigValue) -> std::result::Result<(), String> {
    match value {
        ConfigValue::String(text) => parse_bounded_end(text).map(drop),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn a_start_and_an_end_are_read_in_every_form_that_is_promised() {
        let time = LogPlace::Time(1_796_025_600_000);
        for (text, place) in [
            ("earliest", LogPlace::First),
            (" 17 ", LogPlace::Offset(17)),
            ("offset:1796025600000", LogPlace::Offset(1_796_025_600_000)),
            ("timestamp:1796025600000", time),
            ("timestamp:-1", LogPlace::Time(-1)),
            ("2026-11-30T08:00:00Z", time),
            ("2026-11-30T09:00+01:00", time),
            ("2026-11-30", LogPlace::Time(1_796_025_600_000 - 8 * 3_600_000)),
        ] {
            assert_eq!(parse_bounded_start(text), Ok(Some(place)), "{text}");
            match place {
                LogPlace::First => assert!(parse_bounded_end(text).is_err()),
                _ => assert_eq!(parse_bounded_end(text), Ok(place), "{text}"),
            }
        }
        assert_eq!(parse_bounded_start("committed"), Ok(None));
        assert_eq!(parse_bounded_end("now"), Ok(LogPlace::End));
    }

    #[test]
    fn what_could_be_an_offset_or_a_time_is_asked_for_and_nonsense_is_refused_with_what_can_be_written() {
        for (text, expected) in [
            ("1796025600000", "write `timestamp:1796025600000` for that, or `offset:1796025600000`"),
            ("-1", "at least 0"),
            ("offset:x", "whole number from 0 on"),
            ("offset:-2", "whole number from 0 on"),
            ("timestamp:8am", "milliseconds since 1970"),
            ("latest", "an offset, or a time such as 2026-11-30"),
            ("", "an offset, or a time such as"),
            ("99999999999999999999", "an offset, or a time such as"),
            ("2026-13-01", "an offset, or a time such as"),
        ] {
            for error in [parse_bounded_start(text).unwrap_err(), parse_bounded_end(text).unwrap_err()] {
                assert!(error.contains(expected), "{text}: {error}");
            }
        }
        let error = BoundedRange::of(&config_map(&[("volley.bounded.end", "soon")])).unwrap_err().to_string();
        assert!(error.starts_with("invalid `volley.bounded.end`: write now, an offset"), "{error}");
    }

    proptest! {
        #[test]
        fn every_offset_and_every_time_can_be_written(number in any::<i64>()) {
            let end = |text: String| parse_bounded_end(&text);
            prop_assert_eq!(end(format!("timestamp:{number}")), Ok(LogPlace::Time(number)));
            prop_assert_eq!(end(format!("offset:{number}")).ok(), (number >= 0).then_some(LogPlace::Offset(number)));
        }

        #[test]
        fn no_text_panics(text in ".{0,12}") {
            let _ = (parse_bounded_start(&text), parse_bounded_end(&text));
        }
    }
}
