//! Conversions of decimals between their forms: unscaled digits, plain text, and the big-endian two's complement of
//! Connect's `Decimal`.

use arrow::datatypes::i256;

/// The largest number of digits that Decimal256 holds.
pub(crate) const MAX_DIGITS: usize = 76;

/// Plain decimal text of unscaled digits: (`-1234`, 2) is `-12.34`, (`5`, -2) is `500`.
pub(crate) fn plain_text(unscaled: &str, scale: i32) -> String {
    let (sign, digits) = match unscaled.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", unscaled),
    };
    match usize::try_from(scale) {
        Ok(0) => format!("{sign}{digits}"),
        Ok(scale) if digits.len() > scale => {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
        Ok(scale) => format!("{sign}0.{digits:0>scale$}"),
        Err(_) if digits == "0" => "0".to_owned(),
        Err(_) => format!("{sign}{digits}{}", "0".repeat(scale.unsigned_abs() as usize)),
    }
}

/// The unscaled value of the JSON number `text` at `scale`; `None` if it has more decimal places or more than 76
/// digits. `text` MUST be a JSON number.
pub(crate) fn unscaled_at(text: &str, scale: i32) -> Option<i256> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        // An exponent beyond i32 is valid only for zero.
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()),
        None => (unsigned, Some(0)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(i256::ZERO);
    }
    let shift = exponent?.checked_sub(fraction.len() as i64)?.checked_add(i64::from(scale))?;
    let significant = digits.trim_end_matches('0');
    let zeros = (digits.len() - significant.len()) as i64 + shift;
    let zeros = usize::try_from(zeros).ok().filter(|zeros| significant.len() + zeros <= MAX_DIGITS)?;
    let sign = if negative { "-" } else { "" };
    i256::from_string(&format!("{sign}{significant}{}", "0".repeat(zeros)))
}

/// The value of big-endian two's complement bytes; `None` if it needs more than 32 bytes, or there are no bytes.
pub(crate) fn from_be_bytes(bytes: &[u8]) -> Option<i256> {
    let negative = bytes.first()? & 0x80 != 0;
    let filler = if negative { 0xFF } else { 0 };
    let (excess, kept) = bytes.split_at(bytes.len().saturating_sub(32));
    if excess.iter().any(|byte| *byte != filler) || (!excess.is_empty() && (kept[0] & 0x80 != 0) != negative) {
        return None;
    }
    let mut padded = [filler; 32];
    padded[32 - kept.len()..].copy_from_slice(kept);
    Some(i256::from_be_bytes(padded))
}

/// The shortest big-endian two's complement bytes of `value`, as Java's `BigInteger.toByteArray` returns them.
pub(crate) fn to_be_bytes(value: i256) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let filler = if bytes[0] & 0x80 != 0 { 0xFF } else { 0 };
    let mut start = 0;
    while start < 31 && bytes[start] == filler && (bytes[start + 1] & 0x80) == (filler & 0x80) {
        start += 1;
    }
    bytes[start..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_puts_the_point_where_the_scale_says() {
        assert_eq!(plain_text("-1234", 2), "-12.34");
        assert_eq!(plain_text("5", 3), "0.005");
        assert_eq!(plain_text("5", -2), "500");
        assert_eq!(plain_text("0", -2), "0");
        assert_eq!(plain_text("7", 0), "7");
    }

    #[test]
    fn numbers_are_taken_exactly_or_not_at_all() {
        let at = |text, scale| unscaled_at(text, scale).map(|value| value.to_string());
        assert_eq!(at("12.34", 2).as_deref(), Some("1234"));
        assert_eq!(at("12.340", 2).as_deref(), Some("1234"));
        assert_eq!(at("12.345", 2), None);
        assert_eq!(at("-1e3", 2).as_deref(), Some("-100000"));
        assert_eq!(at("1200", -2).as_deref(), Some("12"));
        assert_eq!(at("1234", -2), None);
        assert_eq!(at("0.000e99999999999999999999", 2).as_deref(), Some("0"));
        assert_eq!(at("1e99999999999999999999", 2), None);
        assert_eq!(at("1e80", 0), None);
        assert_eq!(at(&"9".repeat(76), 0), Some("9".repeat(76)));
    }

    #[test]
    fn bytes_are_javas_and_round_trip() {
        for (value, bytes) in [
            (0i128, vec![0u8]),
            (127, vec![0x7F]),
            (128, vec![0, 0x80]),
            (-128, vec![0x80]),
            (-129, vec![0xFF, 0x7F]),
            (256, vec![1, 0]),
        ] {
            let value = i256::from_i128(value);
            assert_eq!(to_be_bytes(value), bytes);
            assert_eq!(from_be_bytes(&bytes), Some(value));
        }
        assert_eq!(from_be_bytes(&[]), None);
        assert_eq!(from_be_bytes(&[1; 33]), None);
        assert_eq!(from_be_bytes(&[0xFF; 40]), Some(i256::MINUS_ONE));
    }
}
