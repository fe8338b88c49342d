//! `path.format`: Joda-Time's patterns of dates and times.
//!
//! | letter | is |
//! |---|---|
//! | `y`, `Y` | year, year of the era; of two letters the last two digits |
//! | `x`, `w`, `e` | year of the ISO week, the week, the day of the week from Monday on |
//! | `C`, `G` | century and name of the era |
//! | `M`, `d`, `D`, `E` | month, day of the month and of the year, name of the weekday |
//! | `a`, `H`, `k`, `K`, `h` | half of the day, hour 0–23, 1–24, 0–11, 1–12 |
//! | `m`, `s`, `S` | minute, second, digits of the fraction |
//! | `Z`, `ZZ`, `ZZZ`, `z` | offset `+0200`, `+02:00`; name of the zone |
//!
//! As many letters as a number should have digits. `MMM` and `EEE` are short names, longer ones full names. Only zones
//! that are an offset have a name here: that of a place would have a `/`.

use super::civil_time::CivilTime;
use super::language::Language;
use super::pattern_letters::{Piece, pieces};
use super::zone::Zone;
use crate::layout::path_text::is_plain_path;

/// More letters than these are a mistake.
const MAX_LETTERS: usize = 32;

/// A pattern whose letters are all known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathPattern {
    text: String,
    parts: Vec<Part>,
    language: Language,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// At least so many digits.
    Number(NumberOf, usize),
    TwoDigits(NumberOf),
    Fraction(usize),
    Name(NameOf),
    Offset {
        with_colon: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NumberOf {
    Year,
    YearOfEra,
    WeekYear,
    Century,
    Month,
    Day,
    DayOfYear,
    Week,
    Weekday,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    ClockHour,
    /// 0 to 11.
    HalfDayHour,
    /// 1 to 12.
    HalfDayClockHour,
    Minute,
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameOf {
    Month { is_full: bool },
    Weekday { is_full: bool },
    HalfDay,
    Era,
}

impl PathPattern {
    /// A pattern.
    ///
    /// # Errors
    /// What is wrong with it, which names the letter.
    pub(crate) fn parse(text: &str, locale: &str, zone: &Zone) -> Result<Self, String> {
        let parts = pieces(text).into_iter().map(|piece| match piece {
            Piece::Literal(text) => Ok(Part::Literal(text)),
            Piece::Letters(letter, count) => part(letter, count, zone),
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let has_names = parts.iter().any(|part| matches!(part, Part::Name(_)));
        let language = match Language::of_locale(locale) {
            Some(language) => language,
            None if has_names => {
                return Err(format!(
                    "there are no names in the language `{locale}` (`locale`), only in {}; write numbers, such as MM \
                     for the month, or choose another language",
                    Language::codes().join(", ")
                ));
            }
            None => Language::of_locale("en").ok_or("there are no names in English")?,
        };
        let pattern = Self { text: text.to_owned(), parts, language };
        let example = pattern.format(0, zone);
        match is_plain_path(&example) {
            true => Ok(pattern),
            false => Err(format!(
                "it makes the path `{example}`: plain names parted by one `/` are needed, without `.`, `..` and `\\`"
            )),
        }
    }

    /// A text that differs for patterns that differ.
    pub(crate) fn signature(&self) -> String {
        let has_names = self.parts.iter().any(|part| matches!(part, Part::Name(_)));
        format!("{:?} {}", self.text, if has_names { self.language.code() } else { "" })
    }

    /// The path of a bucket that starts at a local time. A start that clocks skip is shown as the time that they show
    /// instead.
    pub(crate) fn format(&self, local_ms: i64, zone: &Zone) -> String {
        let utc_ms = zone.to_utc(local_ms);
        let offset_ms = zone.offset_at(utc_ms);
        let time = CivilTime::of(utc_ms.saturating_add(offset_ms));
        let mut path = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => path.push_str(text),
                Part::Number(number, digits) => push_number(&mut path, number.of(&time), *digits),
                Part::TwoDigits(number) => push_number(&mut path, (number.of(&time) % 100).abs(), 2),
                Part::Fraction(digits) => {
                    let fraction = format!("{:03}{:0>width$}", time.milli, "", width = digits.saturating_sub(3));
                    path.push_str(&fraction[..*digits]);
                }
                Part::Name(name) => path.push_str(name.of(&time, &self.language)),
                Part::Offset { with_colon } => push_offset(&mut path, offset_ms, *with_colon),
            }
        }
        path
    }
}

fn part(letter: char, count: usize, zone: &Zone) -> Result<Part, String> {
    if count > MAX_LETTERS {
        return Err(format!("{count} letters `{letter}` are too many, at most {MAX_LETTERS} are taken"));
    }
    let number = |number: NumberOf| Ok(Part::Number(number, count));
    let year = |year: NumberOf| Ok(if count == 2 { Part::TwoDigits(year) } else { Part::Number(year, count) });
    let is_full = count > 3;
    match letter {
        'y' => year(NumberOf::Year),
        // two digits are those of the year, in either era
        'Y' if count == 2 => year(NumberOf::Year),
        'Y' => year(NumberOf::YearOfEra),
        'x' => year(NumberOf::WeekYear),
        'C' => number(NumberOf::Century),
        'M' if count >= 3 => Ok(Part::Name(NameOf::Month { is_full })),
        'M' => number(NumberOf::Month),
        'd' => number(NumberOf::Day),
        'D' => number(NumberOf::DayOfYear),
        'w' => number(NumberOf::Week),
        'e' => number(NumberOf::Weekday),
        'E' => Ok(Part::Name(NameOf::Weekday { is_full })),
        'a' => Ok(Part::Name(NameOf::HalfDay)),
        'G' => Ok(Part::Name(NameOf::Era)),
        'H' => number(NumberOf::Hour),
        'k' => number(NumberOf::ClockHour),
        'K' => number(NumberOf::HalfDayHour),
        'h' => number(NumberOf::HalfDayClockHour),
        'm' => number(NumberOf::Minute),
        's' => number(NumberOf::Second),
        'S' => Ok(Part::Fraction(count)),
        'Z' if count < 3 => Ok(Part::Offset { with_colon: count == 2 }),
        'Z' | 'z' if zone.is_fixed() && (letter == 'Z' || count < 4) => Ok(Part::Literal(zone.id().to_owned())),
        'Z' | 'z' => Err(format!(
            "`{}`, the name of the time zone, is not supported for {}; write Z or ZZ for the offset",
            letter.to_string().repeat(count),
            zone.id()
        )),
        _ => Err(format!("Illegal pattern component: {}", letter.to_string().repeat(count))),
    }
}

impl NumberOf {
    fn of(self, time: &CivilTime) -> i64 {
        let half_day_hour = time.hour % 12;
        i64::from(match self {
            Self::Year => return time.year,
            Self::YearOfEra => return if time.year > 0 { time.year } else { 1 - time.year },
            Self::WeekYear => return time.week_year,
            Self::Century => return time.year.abs() / 100,
            Self::Month => time.month,
            Self::Day => time.day,
            Self::DayOfYear => time.day_of_year,
            Self::Week => time.week,
            Self::Weekday => time.weekday,
            Self::Hour => time.hour,
            Self::ClockHour => one_based(time.hour, 24),
            Self::HalfDayHour => half_day_hour,
            Self::HalfDayClockHour => one_based(half_day_hour, 12),
            Self::Minute => time.minute,
            Self::Second => time.second,
        })
    }
}

impl NameOf {
    fn of(self, time: &CivilTime, language: &Language) -> &'static str {
        match self {
            Self::Month { is_full } => language.month(time.month, is_full),
            Self::Weekday { is_full } => language.weekday(time.weekday, is_full),
            Self::HalfDay => language.half_day(time.hour),
            Self::Era => language.era(time.year),
        }
    }
}

/// An hour on a clock that shows `hours` for 0.
fn one_based(hour: u32, hours: u32) -> u32 {
    if hour == 0 { hours } else { hour }
}

/// The sign does not count as a digit.
fn push_number(path: &mut String, number: i64, digits: usize) {
    let sign = if number < 0 { "-" } else { "" };
    path.push_str(&format!("{sign}{:0digits$}", number.unsigned_abs()));
}

fn push_offset(path: &mut String, offset_ms: i64, with_colon: bool) {
    let sign = if offset_ms < 0 { '-' } else { '+' };
    let minutes = offset_ms.abs() / 60_000;
    let colon = if with_colon { ":" } else { "" };
    path.push_str(&format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str, locale: &str, zone: &str) -> Result<PathPattern, String> {
        PathPattern::parse(text, locale, &Zone::parse(zone).unwrap())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("yyyy/LL", "en", "UTC", "Illegal pattern component: LL"),
            ("year=YYYY", "en", "UTC", "Illegal pattern component: r"),
            ("YYYY-MM-DDTHH", "en", "UTC", "Illegal pattern component: T"),
            ("MMM", "sw", "UTC", "no names in the language `sw`"),
            ("yyyy/z", "en", "Europe/Berlin", "`z`, the name of the time zone, is not supported for Europe/Berlin"),
            ("/YYYY", "en", "UTC", "it makes the path `/1970`"),
            ("YYYY//MM", "en", "UTC", "it makes the path `1970//01`"),
            ("'..'/YYYY", "en", "UTC", "it makes the path `../1970`"),
            ("YYYY\\MM", "en", "UTC", "it makes the path `1970\\01`"),
            ("", "en", "UTC", "it makes the path ``"),
        ];
        for (pattern, locale, zone, expected) in cases {
            let message = parse(pattern, locale, zone).unwrap_err();
            assert!(message.contains(expected), "{pattern}: {message}");
        }
        assert!(parse(&"S".repeat(33), "en", "UTC").unwrap_err().contains("33 letters `S`"));
    }

    #[test]
    fn a_language_without_names_matters_to_names_only() {
        assert_eq!(parse("YYYY/MM", "sw", "UTC").unwrap().signature(), r#""YYYY/MM" "#);
        assert_eq!(parse("YYYY/MMM", "de", "UTC").unwrap().signature(), r#""YYYY/MMM" de"#);
    }

    #[test]
    fn a_zone_that_is_an_offset_has_a_name() {
        let path =
            |pattern: &str, zone: &str| parse(pattern, "en", zone).unwrap().format(0, &Zone::parse(zone).unwrap());
        assert_eq!(path("yyyy-z-ZZZ", "UTC"), "1970-UTC-UTC");
        assert_eq!(path("yyyy-z", "UTC-0330"), "1970--03:30");
        assert_eq!(path("'no'Z'w'ZZ", "+02:30:15"), "no+0230w+02:30");
    }

    proptest! {
        #[test]
        fn no_pattern_panics_and_each_that_is_taken_makes_plain_paths(
            pattern in "[a-zA-Z'/.=年 -]{0,12}",
            local_ms in any::<i64>(),
            zone in proptest::sample::select(vec!["UTC", "Asia/Seoul", "-03:30"]),
        ) {
            if let Ok(parsed) = parse(&pattern, "en", zone) {
                let path = parsed.format(local_ms, &Zone::parse(zone).unwrap());
                prop_assert!(is_plain_path(&path), "{}", path);
            }
        }
    }
}
