//! Text as times: lenient, as Java is. Numbers beyond their bounds go on counting, and what is behind the last field is
//! nobody's business.

use std::time::{SystemTime, UNIX_EPOCH};

use super::calendar::Date;
use super::date_fields::DateFields;
use super::names::{ERAS, HALF_DAYS, LONG_ERAS, MONTHS, WEEKDAYS, find};
use super::pattern::{DateFormat, Token};
use super::{calendar, zone};
use crate::java_digit::{java_digit, with_ascii_digits};

/// Years of two digits lie within a hundred years from this many years ago on.
const YEARS_BACK: i64 = 80;
const MILLIS_PER_DAY: i64 = 86_400_000;

impl DateFormat {
    /// The time that a text says, in milliseconds since 1970-01-01 UTC; `None` if it does not match.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        let text: Vec<char> = text.chars().collect();
        let mut reader =
            Reader { text: &text, at: 0, fields: DateFields::default(), century: Century::now(), is_ambiguous: false };
        for (place, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Literal(character) => reader.literal(*character)?,
                Token::Field(letter, count) => {
                    let is_followed = matches!(self.tokens.get(place + 1), Some(Token::Field(..)));
                    reader.field(*letter, *count, is_followed)?;
                }
            }
        }
        if reader.at == 0 {
            return None;
        }
        let millis = reader.fields.millis();
        match reader.is_ambiguous && millis < reader.century.start {
            true => Some(reader.fields.years_later(100).millis()),
            false => Some(millis),
        }
    }
}

/// The hundred years that years of two digits are of.
#[derive(Clone, Copy, Debug)]
struct Century {
    start: i64,
    first_year: i64,
}

impl Century {
    fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let today = Date::of(now.div_euclid(MILLIS_PER_DAY));
        let first_year = today.year - YEARS_BACK;
        let days = calendar::Date::days(first_year, today.month, today.day);
        Self { start: days * MILLIS_PER_DAY + now.rem_euclid(MILLIS_PER_DAY), first_year }
    }

    /// The year, and whether it is the first of the century, of which a part is the last.
    fn year(self, digits: i64) -> (i64, bool) {
        let within = self.first_year % 100;
        let century = self.first_year - within + if digits < within { 100 } else { 0 };
        (century + digits, digits == within)
    }
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    fields: DateFields,
    century: Century,
    is_ambiguous: bool,
}

impl Reader<'_> {
    fn literal(&mut self, character: char) -> Option<()> {
        (self.text.get(self.at) == Some(&character)).then_some(())?;
        self.at += 1;
        Some(())
    }

    /// `is_followed`: by another field, so that it has to keep to its width.
    fn field(&mut self, letter: char, count: usize, is_followed: bool) -> Option<()> {
        let start = self.at;
        let blanks = self.text[start..].iter().take_while(|character| matches!(character, ' ' | '\t')).count();
        if start + blanks == self.text.len() {
            return None;
        }
        let end =
            if is_followed { (start + count <= self.text.len()).then_some(start + count)? } else { self.text.len() };
        match letter {
            'G' | 'E' | 'a' => self.name(letter, start),
            'M' | 'L' if count > 2 => self.name('M', start),
            'z' | 'Z' => self.zone(start + blanks, zone::general),
            'X' => self.zone(start + blanks, |text| zone::iso(text, count)),
            _ => {
                let (number, len) = number(self.text.get(start + blanks..end)?)?;
                self.at = start + blanks + len;
                let is_two_digits = len == 2 && java_digit(self.text[start + blanks]).is_some();
                self.number(letter, number, count <= 2 && is_two_digits);
                Some(())
            }
        }
    }

    fn number(&mut self, letter: char, number: i64, is_short: bool) {
        match letter {
            'y' | 'Y' if is_short => {
                let (year, is_ambiguous) = self.century.year(number);
                self.is_ambiguous = is_ambiguous;
                self.fields.set(letter, year);
            }
            'M' | 'L' => self.fields.set('M', number - 1),
            'k' => self.fields.set('H', if number == 24 { 0 } else { number }),
            'h' => self.fields.set('K', if number == 12 { 0 } else { number }),
            // From Monday on, while that of a week begins with Sunday; what is no day goes on counting from there.
            'u' => self.fields.set('E', if (1..=7).contains(&number) { number % 7 + 1 } else { number }),
            letter => self.fields.set(letter, number),
        }
    }

    fn name(&mut self, letter: char, start: usize) -> Option<()> {
        let text = &self.text[start..];
        let found = match letter {
            'G' => find(text, &LONG_ERAS, false).or_else(|| find(text, &ERAS, false)),
            'a' => find(text, &HALF_DAYS, false),
            'E' => find(text, &WEEKDAYS, true).map(|(day, len)| (day + 1, len)),
            _ => find(text, &MONTHS, true),
        };
        let (number, len) = found?;
        self.fields.set(letter, number);
        self.at = start + len;
        Some(())
    }

    fn zone(&mut self, start: usize, read: impl Fn(&[char]) -> Option<(i64, usize)>) -> Option<()> {
        let (offset, len) = read(&self.text[start..])?;
        self.fields.set('Z', offset);
        self.at = start + len;
        Some(())
    }
}

/// A whole number, and how many characters it takes.
fn number(text: &[char]) -> Option<(i64, usize)> {
    let is_negative = text.first() == Some(&'-');
    let digits = &text[usize::from(is_negative)..];
    let digits = &digits[..digits.iter().take_while(|character| java_digit(**character).is_some()).count()];
    if digits.is_empty() {
        return None;
    }
    let number = with_ascii_digits(&digits.iter().collect::<String>());
    // As Java makes an int of it: of a long the lowest bits, of what is more the bound.
    let number = number.parse::<i64>().map_or(i64::from(i32::MAX), |number| i64::from(number as i32));
    Some((if is_negative { -number } else { number }, digits.len() + usize::from(is_negative)))
}
