//! Numbers of PostgreSQL's `numeric` in binary: digits to the base of ten thousand, a weight for the first, a sign.

use arrow::datatypes::i256;

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;
/// Decimal digits in one digit to the base of ten thousand.
const PLACES: i32 = 4;

/// A number without its decimal point.
pub(crate) trait Unscaled: Sized + Copy {
    const ZERO: Self;
    /// `self * factor + more`; `None` if that is too large.
    fn times_plus(self, factor: i64, more: i64) -> Option<Self>;
    fn negated(self) -> Self;
}

impl Unscaled for i128 {
    const ZERO: Self = 0;

    fn times_plus(self, factor: i64, more: i64) -> Option<Self> {
        self.checked_mul(Self::from(factor))?.checked_add(Self::from(more))
    }

    fn negated(self) -> Self {
        -self
    }
}

impl Unscaled for i256 {
    const ZERO: Self = i256::ZERO;

    fn times_plus(self, factor: i64, more: i64) -> Option<Self> {
        self.checked_mul(Self::from(factor))?.checked_add(Self::from(more))
    }

    fn negated(self) -> Self {
        self.wrapping_neg()
    }
}

/// The number with `scale` decimal places, without its decimal point.
///
/// # Errors
/// Why it has no place in such a column.
pub(crate) fn unscaled<T: Unscaled>(bytes: &[u8], scale: i8) -> Result<T, &'static str> {
    let word = |place: usize| bytes.get(place * 2..place * 2 + 2).map(|two| u16::from_be_bytes([two[0], two[1]]));
    let (Some(count), Some(weight), Some(sign)) = (word(0), word(1), word(2)) else {
        return Err("a number that is cut off");
    };
    match sign {
        0 | NEGATIVE => {}
        NOT_A_NUMBER => return Err("NaN, which a Decimal cannot be: make it null or another number in a `query`"),
        INFINITY | MINUS_INFINITY => {
            return Err("infinity, which a Decimal cannot be: make it null or another number in a `query`");
        }
        _ => return Err("a number with an unknown sign"),
    }
    let too_large = "a number that is too large";
    let mut number = T::ZERO;
    // decimal places that follow behind the digit
    let mut behind = (i32::from(weight as i16) + 1) * PLACES + i32::from(scale);
    for place in 0..usize::from(count) {
        let digit = word(4 + place).ok_or("a number that is cut off")?;
        behind -= PLACES;
        // of the last digit only some places may count
        let dropped = (-behind).clamp(0, PLACES);
        let divisor = 10_i64.pow(dropped as u32);
        let digit = i64::from(digit);
        if digit % divisor != 0 {
            return Err("a number with more decimal places than its column has");
        }
        number = number.times_plus(10_i64.pow((PLACES - dropped) as u32), digit / divisor).ok_or(too_large)?;
    }
    for _ in 0..behind.max(0) {
        if count == 0 {
            break;
        }
        number = number.times_plus(10, 0).ok_or(too_large)?;
    }
    Ok(if sign == NEGATIVE { number.negated() } else { number })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the server writes it: no digit of nought at either end.
    fn written(unscaled: i128, scale: u32) -> Vec<u8> {
        let digits = unscaled.unsigned_abs().to_string();
        let digits = format!("{digits:0>width$}", width = scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
        let whole = format!("{}{whole}", "0".repeat((4 - whole.len() % 4) % 4));
        let fraction = format!("{fraction}{}", "0".repeat((4 - fraction.len() % 4) % 4));
        let all = format!("{whole}{fraction}");
        let mut words: Vec<u16> =
            (0..all.len() / 4).map(|place| all[place * 4..place * 4 + 4].parse().unwrap()).collect();
        let mut weight = (whole.len() / 4) as i16 - 1;
        while words.first() == Some(&0) {
            words.remove(0);
            weight -= 1;
        }
        while words.last() == Some(&0) {
            words.pop();
        }
        if words.is_empty() {
            weight = 0;
        }
        let sign = if unscaled < 0 { NEGATIVE } else { 0 };
        let head = [words.len() as u16, weight as u16, sign, scale as u16];
        head.into_iter().chain(words).flat_map(u16::to_be_bytes).collect()
    }

    proptest! {
        #[test]
        fn any_number_is_read_as_it_is_written(digits in 1_u32..=38, value: i128, scale in 0_u32..=38) {
            let value = value % 10_i128.pow(digits);
            let bytes = written(value, scale);
            prop_assert_eq!(unscaled::<i128>(&bytes, scale as i8), Ok(value));
            prop_assert_eq!(unscaled::<i256>(&bytes, scale as i8), Ok(i256::from_i128(value)));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..40), scale: i8) {
            let _ = unscaled::<i128>(&bytes, scale);
            let _ = unscaled::<i256>(&bytes, scale);
        }
    }

    #[test]
    fn a_scale_below_nought_and_what_is_no_number() {
        // 12300 as numeric(3,-2)
        let bytes: Vec<u8> = [2_u16, 1, 0, 0, 1, 2300].into_iter().flat_map(u16::to_be_bytes).collect();
        assert_eq!(unscaled::<i128>(&bytes, -2), Ok(123));
        assert_eq!(unscaled::<i128>(&bytes, 1), Ok(123_000));
        assert!(unscaled::<i128>(&bytes, -3).unwrap_err().contains("more decimal places"));
        let nan: Vec<u8> = [0_u16, 0, NOT_A_NUMBER, 0].into_iter().flat_map(u16::to_be_bytes).collect();
        assert!(unscaled::<i128>(&nan, 2).unwrap_err().contains("NaN"));
        assert!(unscaled::<i128>(&[0, 1], 2).is_err());
    }
}
