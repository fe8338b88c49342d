//! Times as text.

use std::fmt::Write;

use super::calendar::{Date, week_start, weekday};
use super::names::{ERAS, HALF_DAYS, MONTHS, WEEKDAYS, short};
use super::pattern::{DateFormat, Token};

const MILLIS_PER_DAY: i64 = 86_400_000;

impl DateFormat {
    /// The text of a time, in milliseconds since 1970-01-01 UTC.
    pub(crate) fn format(&self, millis: i64) -> String {
        let time = Time::of(millis);
        let mut text = String::with_capacity(self.pattern.len() + 8);
        for token in &self.tokens {
            match token {
                Token::Literal(character) => text.push(*character),
                Token::Field(letter, count) => time.write(*letter, *count, &mut text),
            }
        }
        text
    }
}

/// The text that Connect's `Values` give a time: by what it is, not by its type. Before 1970-01-02 only the time of
/// the day, a date at midnight, otherwise both.
pub(crate) fn iso_text(millis: i64) -> String {
    let time = Time::of(millis);
    let mut text = String::new();
    let is_date_only = millis.rem_euclid(MILLIS_PER_DAY) == 0 && millis >= MILLIS_PER_DAY;
    let is_time_only = millis < MILLIS_PER_DAY;
    if !is_time_only {
        let (year, month, day) = (time.year_of_era(), time.date.month, time.date.day);
        let _ = write!(text, "{year:04}-{month:02}-{day:02}");
    }
    if !is_date_only {
        let separator = if is_time_only { "" } else { "T" };
        let (hour, minute, second) = (time.hour(), time.millis / 60_000 % 60, time.millis / 1_000 % 60);
        let _ = write!(text, "{separator}{hour:02}:{minute:02}:{second:02}.{:03}Z", time.millis % 1_000);
    }
    text
}

/// A time, split.
struct Time {
    days: i64,
    date: Date,
    /// Within the day.
    millis: i64,
}

impl Time {
    fn of(millis: i64) -> Self {
        let days = millis.div_euclid(MILLIS_PER_DAY);
        Self { days, date: Date::of(days), millis: millis.rem_euclid(MILLIS_PER_DAY) }
    }

    fn hour(&self) -> i64 {
        self.millis / 3_600_000
    }

    fn is_ad(&self) -> bool {
        self.date.year > 0
    }

    fn year_of_era(&self) -> i64 {
        if self.is_ad() { self.date.year } else { 1 - self.date.year }
    }

    /// The year that the week of the day belongs to, which is the one that it ends in.
    fn week_year(&self) -> i64 {
        let ends = Date::of(week_start(self.days) + 6);
        ends.year
    }

    fn week_of_year(&self) -> i64 {
        (week_start(self.days) - week_start(Date::days(self.week_year(), 1, 1))) / 7 + 1
    }

    fn week_of_month(&self) -> i64 {
        (week_start(self.days) - week_start(Date::days(self.date.year, self.date.month, 1))) / 7 + 1
    }

    fn write(&self, letter: char, count: usize, text: &mut String) {
        let is_long = count >= 4;
        let name = |names: &[&'static str], number: i64| names[number as usize];
        let month = self.date.month - 1;
        let number = match letter {
            'G' => return text.push_str(name(&ERAS, i64::from(self.is_ad()))),
            'M' | 'L' if is_long => return text.push_str(name(&MONTHS, month)),
            'M' | 'L' if count == 3 => return text.push_str(short(name(&MONTHS, month))),
            'E' if is_long => return text.push_str(name(&WEEKDAYS, weekday(self.days))),
            'E' => return text.push_str(short(name(&WEEKDAYS, weekday(self.days)))),
            'a' => return text.push_str(name(&HALF_DAYS, self.hour() / 12)),
            'z' => return text.push_str(if is_long { "Coordinated Universal Time" } else { "UTC" }),
            'Z' => return text.push_str("+0000"),
            'X' => return text.push('Z'),
            'y' if count == 2 => self.year_of_era() % 100,
            'y' => self.year_of_era(),
            'Y' if count == 2 => self.week_year() % 100,
            'Y' => self.week_year(),
            'M' | 'L' => self.date.month,
            'w' => self.week_of_year(),
            'W' => self.week_of_month(),
            'D' => self.date.day_of_year(),
            'd' => self.date.day,
            'F' => (self.date.day - 1) / 7 + 1,
            'u' => (weekday(self.days) + 6) % 7 + 1,
            'H' => self.hour(),
            'k' => (self.hour() + 23) % 24 + 1,
            'K' => self.hour() % 12,
            'h' => (self.hour() + 11) % 12 + 1,
            'm' => self.millis / 60_000 % 60,
            's' => self.millis / 1_000 % 60,
            _ => self.millis % 1_000,
        };
        let sign = if number < 0 { "-" } else { "" };
        let _ = write!(text, "{sign}{:0count$}", number.abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_text_that_values_gives_them() {
        for (millis, expected) in [
            (0, "00:00:00.000Z"),
            (86_400_000, "1970-01-02"),
            (-86_400_000, "00:00:00.000Z"),
            (-1, "23:59:59.999Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
        ] {
            assert_eq!(iso_text(millis), expected);
        }
    }
}
