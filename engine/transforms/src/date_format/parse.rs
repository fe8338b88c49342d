//! Text as times: lenient, as Java is. Numbers beyond their bounds go on counting, and what is behind the last field is
//! nobody's business.

use super::century::Century;
use super::date_fields::DateFields;
use super::names::{ERAS, HALF_DAYS, LONG_ERAS, MONTHS, WEEKDAYS, find};
use super::pattern::{DateFormat, Token};
use super::zone;
use crate::java_digit::{java_digit, with_ascii_digits};

impl DateFormat {
    /// The time that a text says, in milliseconds since 1970-01-01 UTC; `None` if it does not match.
    pub(crate) fn parse(&self, text: &str) -> Option<i64> {
        let text: Vec<char> = text.chars().collect();
        let mut reader =
            Reader { text: &text, at: 0, fields: DateFields::default(), century: self.century, is_split: false };
        for (place, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Literal(character) => reader.literal(*character)?,
                Token::Field(letter, count) => {
                    let is_followed = self.tokens.get(place + 1).is_some_and(Token::is_number);
                    reader.field(*letter, *count, is_followed)?;
                }
            }
        }
        if reader.at == 0 {
            return None;
        }
        let millis = reader.fields.millis();
        match reader.is_split && self.century.is_after(millis) {
            true => Some(reader.fields.years_later(100).millis()),
            false => Some(millis),
        }
    }
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    fields: DateFields,
    century: Century,
    is_split: bool,
}

impl Reader<'_> {
    fn literal(&mut self, character: char) -> Option<()> {
        (self.text.get(self.at) == Some(&character)).then_some(())?;
        self.at += 1;
        Some(())
    }

    /// `is_followed`: by another number, so that one has to keep to its width.
    fn field(&mut self, letter: char, count: usize, is_followed: bool) -> Option<()> {
        let start = self.at;
        let blanks = self.text[start..].iter().take_while(|character| matches!(character, ' ' | '\t')).count();
        if start + blanks == self.text.len() {
            return None;
        }
        match letter {
            'G' | 'E' | 'a' => self.name(letter, start),
            'M' | 'L' if count > 2 => self.name('M', start),
            'z' | 'Z' => self.zone(start + blanks, |text| zone::general(text, blanks > 0)),
            'X' => self.zone(start + blanks, |text| zone::iso(text, count)),
            _ => {
                let end = if is_followed { start + count } else { self.text.len() };
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
                let year = self.century.year(number);
                self.is_split = self.century.is_split(year);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 15 June 2026.
    const NOW: i64 = 1_781_481_600_000;
    const DAY: i64 = 86_400_000;

    fn parse(pattern: &str, text: &str) -> Option<i64> {
        DateFormat::at(pattern, NOW).unwrap().parse(text)
    }

    #[test]
    fn years_of_two_digits_are_those_from_80_years_ago_on() {
        let year = |text: &str| parse("yyyy-MM-dd", text);
        assert_eq!(parse("yy-MM-dd", "26-06-15"), year("2026-06-15"));
        assert_eq!(parse("yy-MM-dd", "45-12-31"), year("2045-12-31"));
        assert_eq!(parse("yy-MM-dd", "46-06-14"), year("2046-06-14"), "a day before the hundred years begin");
        assert_eq!(parse("yy-MM-dd", "46-06-15"), year("1946-06-15"));
        assert_eq!(parse("yy-MM-dd", "47-01-01"), year("1947-01-01"));
    }

    #[test]
    fn numbers_go_on_counting_and_a_tail_does_not_matter() {
        assert_eq!(parse("yyyy-MM-dd", "1970-01-32 and more"), Some(31 * DAY));
        assert_eq!(parse("yyyy-MM-dd", "1970-13-01"), parse("yyyy-MM-dd", "1971-01-01"));
        assert_eq!(parse("HH:mm", "-1:00"), Some(-3_600_000));
        assert_eq!((parse("yyyy", ""), parse("yyyy", "x"), parse("''", "'")), (None, None, Some(0)));
    }

    proptest! {
        #[test]
        fn a_text_is_read_as_the_time_that_it_was_written_of(millis in -100_000_000_000_000i64..200_000_000_000_000) {
            for pattern in ["G yyyy-MM-dd HH:mm:ss.SSS", "G yyyy/D hh:mm:ss.SSS a Z", "EEEE, d. MMMM yyyyG kk:mm:ss,SSS XXX"] {
                let format = DateFormat::at(pattern, NOW).unwrap();
                prop_assert_eq!(format.parse(&format.format(millis)), Some(millis), "{}", pattern);
            }
        }

        #[test]
        fn no_pattern_and_no_text_panics(pattern in "[yMdHhmsSEDFwWaKkGuXzZL' :-]{0,12}", text in "[0-9a-zA-Z: +-]{0,24}", millis: i64) {
            if let Ok(format) = DateFormat::at(&pattern, NOW) {
                format.parse(&text);
                format.format(millis);
            }
        }
    }
}
