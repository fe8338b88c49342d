//! Decimal numbers, which the server writes as texts.

use arrow::datatypes::i256;

/// The number without its point.
///
/// # Errors
/// Why it has no place in such a column.
pub(super) fn unscaled<T: Unscaled>(text: &[u8], scale: i8) -> Result<T, &'static str> {
    let broken = "a number that cannot be read";
    let text = std::str::from_utf8(text).map_err(|_| broken)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = usize::try_from(scale).map_err(|_| broken)?;
    if fraction.len() > scale {
        return Err("a number with more decimal places than its column has");
    }
    if !whole.ends_with(|last: char| last.is_ascii_digit()) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(broken);
    }
    T::parse(&format!("{whole}{fraction:0<scale$}")).ok_or("a number that is too large")
}

/// A number without its decimal point.
pub(super) trait Unscaled: Sized {
    fn parse(text: &str) -> Option<Self>;
}

impl Unscaled for i128 {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Unscaled for i256 {
    fn parse(text: &str) -> Option<Self> {
        Self::from_string(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_number_is_read_as_it_is_written(value: i64, scale in 0_usize..=30) {
            let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let sign = if value < 0 { "-" } else { "" };
            let text = if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
            prop_assert_eq!(unscaled::<i128>(text.as_bytes(), scale as i8), Ok(i128::from(value)));
            prop_assert_eq!(unscaled::<i256>(text.as_bytes(), scale as i8), Ok(i256::from_i128(value.into())));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), scale: i8) {
            let _ = unscaled::<i128>(&bytes, scale);
            let _ = unscaled::<i256>(&bytes, scale);
        }
    }

    #[test]
    fn what_has_no_place_is_refused() {
        assert!(unscaled::<i128>(b"1.234", 2).unwrap_err().contains("decimal places"));
        assert!(unscaled::<i128>(&[b'9'; 60], 0).unwrap_err().contains("too large"));
        assert_eq!(unscaled::<i256>(&[b'9'; 65], 0).map(|number| number.to_string()), Ok("9".repeat(65)));
        assert!(unscaled::<i128>(b"", 0).is_err() && unscaled::<i128>(b"1.x", 2).is_err());
    }
}
