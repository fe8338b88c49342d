//! Strings by a pattern.

use arrow::array::StringArray;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use volley_api::{Error, Result};

use super::random::{RowRandom, remix, split_below};
use super::row_span::RowSpan;

/// Alphabets of the placeholders.
const DIGITS: &[u8] = b"0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HEX: &[u8] = b"0123456789abcdef";

/// Characters that are drawn from one random number: enough bits remain for each to be fair.
const DRAWS_PER_NUMBER: usize = 8;

/// A compiled pattern. `#` is a digit, `?` a lower-case letter, `^` an upper-case letter, `%` a hexadecimal digit; a
/// backslash takes the next character as it is, and so is every other character. All strings have the same length.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    template: String,
    places: Vec<(usize, &'static [u8])>,
}

impl Pattern {
    /// Compiles `text`; the error is the reason why it cannot be used.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut pattern = Self { template: String::new(), places: Vec::new() };
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let alphabet = match character {
                '#' => DIGITS,
                '?' => LOWER,
                '^' => UPPER,
                '%' => HEX,
                '\\' => {
                    pattern.template.push(characters.next().ok_or("nothing follows the last backslash")?);
                    continue;
                }
                literal => {
                    pattern.template.push(literal);
                    continue;
                }
            };
            pattern.places.push((pattern.template.len(), alphabet));
            pattern.template.push('0');
        }
        Ok(pattern)
    }

    /// The same pattern behind a literal prefix.
    pub(super) fn behind(mut self, prefix: &str) -> Self {
        self.template.insert_str(0, prefix);
        self.places.iter_mut().for_each(|place| place.0 += prefix.len());
        self
    }

    /// The strings of a span of rows.
    pub(super) fn fill(&self, random: RowRandom, span: RowSpan) -> Result<StringArray> {
        let width = self.template.len();
        let length = width.checked_mul(span.len).filter(|length| i32::try_from(*length).is_ok());
        let length = length.ok_or_else(|| {
            Error::config(format!(
                "a pattern of {width} bytes is too long for batches of {} rows; lower `batch.size`",
                span.len
            ))
        })?;
        let mut bytes = Vec::with_capacity(length);
        // Row by row: each string starts as a copy of the template and draws its characters from one number.
        for row in span.rows() {
            let start = bytes.len();
            bytes.extend_from_slice(self.template.as_bytes());
            self.draw(random.bits(row), &mut bytes[start..]);
        }
        let offsets: ScalarBuffer<i32> = (0..=span.len).map(|row| (row * width) as i32).collect();
        Ok(StringArray::try_new(OffsetBuffer::new(offsets), bytes.into(), None)?)
    }

    fn draw(&self, mut bits: u64, text: &mut [u8]) {
        for places in self.places.chunks(DRAWS_PER_NUMBER) {
            let mut rest = bits;
            for (place, alphabet) in places {
                let (index, fraction) = split_below(rest, alphabet.len() as u128);
                text[*place] = alphabet[index as usize];
                rest = fraction;
            }
            bits = remix(bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(pattern: &str, len: usize) -> Vec<String> {
        let span = RowSpan { first: 0, step: 1, len };
        let array = Pattern::parse(pattern).unwrap().fill(RowRandom::new(1, "f", "value"), span).unwrap();
        array.iter().map(|text| text.unwrap().to_owned()).collect()
    }

    #[test]
    fn every_placeholder_keeps_to_its_alphabet_and_the_rest_is_literal() {
        for text in strings(r"é#-?^%\#", 500) {
            let characters: Vec<char> = text.chars().collect();
            assert_eq!((characters[0], characters[2], characters[6]), ('é', '-', '#'));
            assert!(characters[1].is_ascii_digit() && characters[3].is_ascii_lowercase());
            assert!(characters[4].is_ascii_uppercase() && characters[5].is_ascii_hexdigit());
        }
    }

    #[test]
    fn all_characters_of_a_long_pattern_vary() {
        let texts = strings(&"%".repeat(40), 200);
        for place in 0..40 {
            let seen: std::collections::BTreeSet<u8> = texts.iter().map(|text| text.as_bytes()[place]).collect();
            assert_eq!(seen.len(), 16, "place {place}");
        }
    }

    #[test]
    fn a_trailing_backslash_is_refused() {
        assert!(Pattern::parse(r"a\").is_err());
    }
}
