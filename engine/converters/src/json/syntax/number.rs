//! Numbers: the grammar of JSON, a fast path for integers, and exact floats.

use super::cursor::{Cursor, HIGH_BITS, ONES};
use super::failure::Decoded;

/// Larger integers may lose digits as a double.
pub(crate) const MAX_EXACT_INTEGER: u64 = 1 << 53;

/// A parsed number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// An integer literal within i64.
    Int(i64),
    /// An integer literal beyond i64, and the double nearest to it.
    BigInt(f64),
    /// A literal with fraction or exponent; infinite if beyond f64.
    Float(f64),
}

impl Number {
    /// The nearest double; infinite beyond its range.
    pub(crate) fn as_double(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
            Self::BigInt(nearest) => nearest,
        }
    }

    /// The double for an inferred FLOAT64 column; `None` if an integer would lose digits.
    pub(crate) fn as_exact_double(self) -> Option<f64> {
        match self {
            Self::Int(number) if number.unsigned_abs() <= MAX_EXACT_INTEGER => Some(number as f64),
            Self::Float(number) if number.is_finite() => Some(number),
            _ => None,
        }
    }
}

/// Reads an integer literal within i64. `None` (and no byte consumed) for anything else, valid or not.
#[inline]
pub(crate) fn read_integer(cursor: &mut Cursor<'_>) -> Option<i64> {
    let input = cursor.input();
    let start = cursor.pos();
    let negative = input.get(start) == Some(&b'-');
    let first = start + usize::from(negative);
    let mut at = first;
    let mut number: u64 = 0;
    while let Some(digit) = digit_at(input, at) {
        number = number.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    let digits = at - first;
    let ends = !matches!(input.get(at), Some(b'.' | b'e' | b'E'));
    if digits == 0 || digits > 19 || !ends || (digits > 1 && input[first] == b'0') {
        return None;
    }
    // 19 digits always fit u64.
    let limit = i64::MAX as u64 + u64::from(negative);
    if number > limit {
        return None;
    }
    cursor.seek(at);
    Some(if negative { (number as i64).wrapping_neg() } else { number as i64 })
}

#[inline]
fn digit_at(input: &[u8], at: usize) -> Option<u64> {
    input.get(at).map(|byte| u64::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10)
}

/// Reads any number.
#[inline]
pub(crate) fn read_number(cursor: &mut Cursor<'_>) -> Decoded<Number> {
    match read_integer(cursor) {
        Some(number) => Ok(Number::Int(number)),
        None => read_float(cursor),
    }
}

/// The parts of a number literal.
#[derive(Debug)]
struct Literal {
    /// All digits before the exponent; meaningless if there are more than 19.
    mantissa: u64,
    digits: usize,
    /// Power of ten of the mantissa.
    exponent: i64,
    integral: bool,
}

/// Skips a number.
pub(crate) fn skip_number(cursor: &mut Cursor<'_>) -> Decoded<()> {
    pass(cursor).map(drop)
}

/// Skips a number quickly if it has no exponent; whether there was one.
#[inline]
pub(crate) fn skip_plain_number(cursor: &mut Cursor<'_>) -> bool {
    let input = cursor.input();
    let start = cursor.pos() + usize::from(cursor.peek() == Some(b'-'));
    let mut end = digits_end(input, start);
    let is_whole = end > start && (input[start] != b'0' || end == start + 1);
    if is_whole && input.get(end) == Some(&b'.') {
        let places = end + 1;
        end = digits_end(input, places);
        if end == places {
            return false;
        }
    }
    if !is_whole || matches!(input.get(end), Some(b'e' | b'E')) {
        return skip_number(cursor).is_ok();
    }
    cursor.seek(end);
    true
}

/// Position of the first byte from `at` on that is no digit.
#[inline]
fn digits_end(input: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = input.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        // a digit is 0 to 9 now, and 0x76 to 0x7F with what is added
        let word = u64::from_le_bytes(*chunk) ^ (ONES * u64::from(b'0'));
        let others = ((word & !HIGH_BITS).wrapping_add(ONES * 0x76) | word) & HIGH_BITS;
        if others != 0 {
            return at + (others.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = input.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())
}

fn pass(cursor: &mut Cursor<'_>) -> Decoded<Literal> {
    cursor.take(b'-');
    let mut literal = Literal { mantissa: 0, digits: 0, exponent: 0, integral: true };
    let leading_zero = cursor.peek() == Some(b'0');
    let whole = pass_digits(cursor, &mut literal);
    if whole == 0 || (leading_zero && whole > 1) {
        return Err(cursor.syntax("expected a number without leading zeros"));
    }
    if cursor.take(b'.') {
        literal.integral = false;
        let places = pass_digits(cursor, &mut literal);
        if places == 0 {
            return Err(cursor.syntax("expected a digit after the decimal point"));
        }
        literal.exponent = -(places as i64);
    }
    if cursor.take(b'e') || cursor.take(b'E') {
        literal.integral = false;
        let negative = cursor.take(b'-');
        if !negative {
            cursor.take(b'+');
        }
        let mut power = Literal { mantissa: 0, digits: 0, exponent: 0, integral: true };
        if pass_digits(cursor, &mut power) == 0 {
            return Err(cursor.syntax("expected a digit in the exponent"));
        }
        let power = if power.digits > 18 { i64::MAX / 4 } else { power.mantissa as i64 };
        literal.exponent += if negative { -power } else { power };
    }
    Ok(literal)
}

#[inline]
fn pass_digits(cursor: &mut Cursor<'_>, literal: &mut Literal) -> usize {
    let input = cursor.input();
    let start = cursor.pos();
    let mut at = start;
    while let Some(digit) = digit_at(input, at) {
        literal.mantissa = literal.mantissa.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    cursor.seek(at);
    literal.digits += at - start;
    at - start
}

/// Reads any number; faster than [`read_number`] if it probably has a fraction.
#[inline]
pub(crate) fn read_float(cursor: &mut Cursor<'_>) -> Decoded<Number> {
    let start = cursor.pos();
    let negative = cursor.peek() == Some(b'-');
    let literal = pass(cursor)?;
    if literal.integral && literal.digits < 19 {
        let number = literal.mantissa as i64;
        return Ok(Number::Int(if negative { -number } else { number }));
    }
    if let Some(number) = exact_double(&literal) {
        return Ok(Number::Float(if negative { -number } else { number }));
    }
    Ok(read_long(cursor, start, literal.integral))
}

/// A number with many digits or a large exponent, from `start` to the position.
#[cold]
fn read_long(cursor: &mut Cursor<'_>, start: usize, integral: bool) -> Number {
    let end = cursor.pos();
    if integral {
        cursor.seek(start);
        if let Some(number) = read_integer(cursor) {
            return Number::Int(number);
        }
        cursor.seek(end);
    }
    // The grammar was checked, so lexical accepts every text here.
    let number = lexical_core::parse(cursor.since(start)).unwrap_or(f64::INFINITY);
    if integral { Number::BigInt(number) } else { Number::Float(number) }
}

/// The double of a literal whose mantissa and power of ten are both exact doubles: one rounding, hence exact.
#[inline]
fn exact_double(literal: &Literal) -> Option<f64> {
    const POWERS: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];
    if literal.digits > 19 || literal.mantissa > MAX_EXACT_INTEGER || literal.integral {
        return None;
    }
    let power = POWERS.get(usize::try_from(literal.exponent.unsigned_abs()).ok()?)?;
    let mantissa = literal.mantissa as f64;
    Some(if literal.exponent < 0 { mantissa / power } else { mantissa * power })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Number> {
        let mut cursor = Cursor::new(text.as_bytes());
        let number = read_number(&mut cursor).ok()?;
        (cursor.pos() == text.len()).then_some(number)
    }

    #[test]
    fn integers_keep_every_digit_up_to_the_ends_of_i64() {
        assert_eq!(read("9223372036854775807"), Some(Number::Int(i64::MAX)));
        assert_eq!(read("-9223372036854775808"), Some(Number::Int(i64::MIN)));
        assert_eq!(read("9223372036854775808"), Some(Number::BigInt(9_223_372_036_854_775_808.0)));
        assert_eq!(read("-9223372036854775809"), Some(Number::BigInt(-9_223_372_036_854_775_808.0)));
        assert_eq!(read("18446744073709551616"), Some(Number::BigInt(18_446_744_073_709_551_616.0)));
        assert_eq!(read(&"9".repeat(400)), Some(Number::BigInt(f64::INFINITY)));
        assert_eq!(read("-0"), Some(Number::Int(0)));
    }

    #[test]
    fn what_is_no_json_number_is_refused() {
        for text in ["", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1.e5", "0x1", "1_0", "NaN", "00"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn floats_beyond_the_range_are_infinite() {
        assert_eq!(read("1e400"), Some(Number::Float(f64::INFINITY)));
        assert_eq!(read("-1e400"), Some(Number::Float(f64::NEG_INFINITY)));
        assert_eq!(read("1e-400"), Some(Number::Float(0.0)));
        assert_eq!(read("1e99999999999999999999"), Some(Number::Float(f64::INFINITY)));
        assert_eq!(read("0e99999999999999999999"), Some(Number::Float(0.0)));
    }

    proptest! {
        #[test]
        fn doubles_are_exactly_those_of_the_standard_library(text in "-?(0|[1-9][0-9]{0,25})\\.[0-9]{1,25}([eE][+-]?[0-9]{1,3})?") {
            prop_assert_eq!(read(&text), Some(Number::Float(text.parse().unwrap())));
        }

        #[test]
        fn all_doubles_round_trip(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            prop_assert_eq!(read(&format!("{number:e}")), Some(Number::Float(number)));
        }

        #[test]
        fn both_ways_of_reading_agree(text in "-?[0-9]{0,22}(\\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})?") {
            let (mut one, mut other) = (Cursor::new(text.as_bytes()), Cursor::new(text.as_bytes()));
            prop_assert_eq!(read_number(&mut one).ok(), read_float(&mut other).ok());
            prop_assert_eq!(one.pos(), other.pos());
        }

        #[test]
        fn all_integers_round_trip(number in any::<i64>()) {
            prop_assert_eq!(read(&number.to_string()), Some(Number::Int(number)));
        }
    }
}
