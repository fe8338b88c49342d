//! Numbers in text, as Java reads them.

use crate::java_digit::with_ascii_digits;

/// What is left of a text that Java's BigDecimal reads once it is made a number of a type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BigDecimalParts {
    /// The lowest 64 bits of what is before the decimal point.
    pub(crate) low_bits: i64,
    pub(crate) float: f32,
    pub(crate) double: f64,
}

/// Number of powers of ten after which the lowest 64 bits are 0.
const BITS: i64 = 64;

/// A number as BigDecimal reads it: no blanks, no hexadecimal digits, no NaN.
pub(crate) fn parse_big_decimal(text: &str) -> Option<BigDecimalParts> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let magnitude = low_bits(&format!("{whole}{fraction}"), i64::from(exponent) - fraction.len() as i64);
    let low_bits = if text.starts_with('-') { magnitude.wrapping_neg() } else { magnitude };
    Some(BigDecimalParts { low_bits, float: text.parse().ok()?, double: text.parse().ok()? })
}

/// The lowest 64 bits of `digits` times a power of ten, without what is behind the point.
fn low_bits(digits: &str, power: i64) -> i64 {
    let kept = if power < 0 { digits.len().saturating_sub(power.unsigned_abs() as usize) } else { digits.len() };
    let ten_times = |number: i64| number.wrapping_mul(10);
    let whole = digits[..kept].bytes().fold(0, |number, digit| ten_times(number).wrapping_add(i64::from(digit - b'0')));
    (0..power.clamp(0, BITS)).fold(whole, |number, _| ten_times(number))
}

/// What `Float.parseFloat` and `Double.parseDouble` read: blanks around it, an `f` or `d` behind it, NaN, Infinity.
pub(crate) fn java_float<T: std::str::FromStr>(text: &str) -> Option<T> {
    let trimmed = text.trim_matches(|character| character <= ' ');
    let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    match unsigned {
        "NaN" => return "NaN".parse().ok(),
        "Infinity" => return trimmed.replace("Infinity", "inf").parse().ok(),
        _ => {}
    }
    let number = trimmed.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(trimmed);
    let is_number = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    if !number.bytes().all(is_number) {
        return None;
    }
    number.parse().ok()
}

/// What `Long.parseLong` reads. Digits of other scripts are digits, too.
pub(crate) fn java_integer(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| if text.is_ascii() { None } else { with_ascii_digits(text).parse().ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_keep_their_lowest_bits() {
        for (text, expected) in [
            ("300", 300),
            ("1.9", 1),
            ("-1.9", -1),
            ("1e3", 1000),
            ("12345e-2", 123),
            ("1e-9", 0),
            ("99999999999999999999", 7_766_279_631_452_241_919),
            ("1e400", 0),
            (".5", 0),
            ("5.", 5),
        ] {
            assert_eq!(parse_big_decimal(text).unwrap().low_bits, expected, "{text}");
        }
        for text in ["", " 5", "abc", "NaN", "0x10", "1_0", "1e", ".", "--1", "1e99999999999"] {
            assert_eq!(parse_big_decimal(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_read_as_java_reads_them() {
        for (text, expected) in [
            ("1", 1.0),
            (" 1.5\t", 1.5),
            ("1f", 1.0),
            ("2.5D", 2.5),
            ("+1e3", 1000.0),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e999", f64::INFINITY),
            (".5", 0.5),
            ("5.", 5.0),
        ] {
            assert_eq!(java_float(text), Some(expected), "{text}");
        }
        assert!(java_float::<f64>("-NaN").unwrap().is_nan());
        for text in ["", "inf", "infinity", "nan", "1ff", "1 f", "a", "f", "1e"] {
            assert_eq!(java_float::<f64>(text), None, "{text}");
        }
    }
}
