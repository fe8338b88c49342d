//! Floating point numbers as Java's `Double.toString` and `Float.toString` write them: `1.0`, `1.0E10`, `NaN`.

use std::fmt::{Display, LowerExp};

/// An f64 as Java writes it.
pub fn double_text(number: f64) -> String {
    text(&number, number)
}

/// An f32 as Java writes it.
pub fn float_text(number: f32) -> String {
    text(&number, f64::from(number))
}

/// `shown` writes the shortest digits that give the number back; `value` is the number.
fn text(shown: &(impl Display + LowerExp), value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        let mut plain = shown.to_string();
        if !plain.contains('.') {
            plain.push_str(".0");
        }
        return plain;
    }
    let mut scientific = format!("{shown:e}");
    if let Some(at) = scientific.find('e') {
        let has_fraction = scientific[..at].contains('.');
        scientific.replace_range(at..=at, if has_fraction { "E" } else { ".0E" });
    }
    scientific
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn doubles_look_as_in_java() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (9_999_999.0, "9999999.0"),
            (1e7, "1.0E7"),
            (1.25e10, "1.25E10"),
            (1.5e300, "1.5E300"),
            (0.001, "0.001"),
            (0.0123, "0.0123"),
            (0.0001, "1.0E-4"),
            (-0.0001, "-1.0E-4"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, expected) in cases {
            assert_eq!(double_text(number), expected);
        }
    }

    #[test]
    fn floats_have_their_own_shortest_digits() {
        for (number, expected) in [(0.1, "0.1"), (0.001, "0.001"), (1.2e10, "1.2E10"), (f32::MAX, "3.4028235E38")] {
            assert_eq!(float_text(number), expected);
        }
    }

    proptest! {
        #[test]
        fn a_text_reads_back_as_the_same_number(number in prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL) {
            prop_assert_eq!(double_text(number).parse::<f64>(), Ok(number));
        }
    }
}
