//! Floating point numbers as Java's `Double.toString` and `Float.toString` write them: `1.0`, `1.0E10`, `NaN`.

/// An f64 as Java writes it.
pub fn double_text(number: f64) -> String {
    java_form(&format!("{number:e}"), number.is_nan(), number.is_infinite(), number.is_sign_negative())
}

/// An f32 as Java writes it.
pub fn float_text(number: f32) -> String {
    java_form(&format!("{number:e}"), number.is_nan(), number.is_infinite(), number.is_sign_negative())
}

/// `scientific` holds the shortest digits that give the number back, as `d.ddde-x`.
fn java_form(scientific: &str, nan: bool, infinite: bool, negative: bool) -> String {
    if nan {
        return "NaN".to_owned();
    }
    let sign = if negative { "-" } else { "" };
    if infinite {
        return format!("{sign}Infinity");
    }
    let (mantissa, exponent) = scientific.trim_start_matches('-').split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(|char| *char != '.').collect();
    // Java writes 10^-3 <= x < 10^7 without exponent.
    match exponent {
        0..=6 => {
            let whole = exponent as usize + 1;
            let padded = format!("{digits:0<whole$}");
            let fraction = if padded.len() > whole { &padded[whole..] } else { "0" };
            format!("{sign}{}.{fraction}", &padded[..whole])
        }
        -3..=-1 => format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize)),
        _ => {
            let fraction = if digits.len() > 1 { &digits[1..] } else { "0" };
            format!("{sign}{}.{fraction}E{exponent}", &digits[..1])
        }
    }
}

#[cfg(test)]
mod tests {
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
            (0.001, "0.001"),
            (0.0123, "0.0123"),
            (0.0001, "1.0E-4"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (number, expected) in cases {
            assert_eq!(double_text(number), expected);
        }
        assert_eq!(float_text(0.1), "0.1");
    }
}
