//! Digits of all scripts, which Java reads as numbers.

/// The zeros of the scripts; nine more digits follow each.
const ZEROS: [u32; 37] = [
    0x0030, 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
];

/// The value of a digit, as of Java's `Character.digit(char, 10)`.
pub(crate) fn java_digit(character: char) -> Option<i64> {
    let code = u32::from(character);
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    Some(i64::from(code - zero)).filter(|digit| *digit < 10)
}

/// The text with its digits as those of ASCII.
pub(crate) fn with_ascii_digits(text: &str) -> String {
    text.chars()
        .map(|character| java_digit(character).map_or(character, |digit| char::from(b'0' + digit as u8)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_all_scripts_have_their_value() {
        for (character, value) in
            [('7', Some(7)), ('٣', Some(3)), ('９', Some(9)), ('a', None), ('/', None), (':', None)]
        {
            assert_eq!(java_digit(character), value, "{character}");
        }
        assert_eq!(with_ascii_digits("-２x"), "-2x");
    }
}
