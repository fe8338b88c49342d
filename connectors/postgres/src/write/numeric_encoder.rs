//! Numbers as PostgreSQL's `numeric` in binary: see `copy/numeric.rs`, which reads them.

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;
/// Decimal digits in one digit to the base of ten thousand.
const PLACES: usize = 4;

/// Appends a number that is written in decimal: `-12.50`, `NaN`, `Infinity`.
///
/// # Errors
/// If it is no number.
pub(super) fn encode_numeric(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let special = match text {
        "NaN" => Some(NOT_A_NUMBER),
        "Infinity" | "inf" => Some(INFINITY),
        "-Infinity" | "-inf" => Some(MINUS_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        append(out, &[0, 0, sign, 0]);
        return Ok(());
    }
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err("a text that is no number".to_owned());
    }
    let scale = u16::try_from(fraction.len()).map_err(|_| "a number with too many decimal places".to_owned())?;
    let whole = whole.trim_start_matches('0');
    // groups of four digits on both sides of the point
    let front = (PLACES - whole.len() % PLACES) % PLACES;
    let back = (PLACES - fraction.len() % PLACES) % PLACES;
    let padded: Vec<u8> = std::iter::repeat_n(b'0', front)
        .chain(whole.bytes())
        .chain(fraction.bytes())
        .chain(std::iter::repeat_n(b'0', back))
        .collect();
    let groups: Vec<u16> = padded
        .chunks(PLACES)
        .map(|group| group.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
        .collect();
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let trailing = groups.iter().rev().take_while(|group| **group == 0).count();
    let significant = groups.get(leading..groups.len().saturating_sub(trailing)).unwrap_or_default();
    let whole_groups = i64::try_from((front + whole.len()) / PLACES).unwrap_or(i64::MAX);
    let weight = if significant.is_empty() { 0 } else { whole_groups - 1 - leading as i64 };
    let (Ok(count), Ok(weight)) = (u16::try_from(significant.len()), i16::try_from(weight)) else {
        return Err("a number with too many digits".to_owned());
    };
    let sign = if is_negative && !significant.is_empty() { NEGATIVE } else { 0 };
    append(out, &[count, weight as u16, sign, scale]);
    append(out, significant);
    Ok(())
}

fn append(out: &mut Vec<u8>, words: &[u16]) {
    out.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::copy::unscaled;

    proptest! {
        #[test]
        fn any_number_is_read_as_it_is_written(digits in 1_u32..=38, value: i128, scale in 0_usize..=38) {
            let value = value % 10_i128.pow(digits);
            let text = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
            let (whole, fraction) = text.split_at(text.len() - scale);
            let sign = if value < 0 { "-" } else { "" };
            let text = if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
            let mut bytes = Vec::new();
            encode_numeric(&text, &mut bytes).unwrap();
            prop_assert_eq!(unscaled::<i128>(&bytes, scale as i8), Ok(value));
        }

        #[test]
        fn no_text_panics(text in "[-+.0-9eNa]{0,20}") {
            let _ = encode_numeric(&text, &mut Vec::new());
        }
    }

    #[test]
    fn what_is_no_number_is_refused_or_has_a_sign_of_its_own() {
        for text in ["", "-", ".", "1e5", "+1", "1.2.3"] {
            assert!(encode_numeric(text, &mut Vec::new()).is_err(), "{text}");
        }
        let mut bytes = Vec::new();
        encode_numeric("NaN", &mut bytes).unwrap();
        assert_eq!(bytes, [0, 0, 0, 0, 0xC0, 0, 0, 0]);
    }
}
