//! Kafka Connect's extensions of RFC 8259: other encodings than UTF-8, a byte order mark, leading zeros.
//!
//! The decoder is strict. If it refuses a message, this module rewrites it, if possible, and the message is decoded
//! again. So nearly all topics have no cost for it.

/// `message` as strict JSON in UTF-8, if that differs. Does not check whether it is JSON.
///
/// The encoding is detected from the first bytes, as in Jackson: by a byte order mark, or by zeros around the first
/// character.
pub(crate) fn strict(message: &[u8]) -> Option<Vec<u8>> {
    let recoded = in_utf8(message);
    let text = recoded.as_deref().unwrap_or(message);
    without_leading_zeros(text).or(recoded)
}

fn in_utf8(message: &[u8]) -> Option<Vec<u8>> {
    let text = match message {
        [0, 0, 0xFE, 0xFF, rest @ ..] => of_utf32(rest, u32::from_be_bytes)?,
        [0xFF, 0xFE, 0, 0, rest @ ..] => of_utf32(rest, u32::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => of_utf16(rest, u16::from_be_bytes)?,
        [0xFF, 0xFE, rest @ ..] => of_utf16(rest, u16::from_le_bytes)?,
        // Jackson does not accept a mark without content.
        [0xEF, 0xBB, 0xBF, rest @ ..] if !rest.is_empty() => return Some(rest.to_vec()),
        [0, 0, 0, _, ..] => of_utf32(message, u32::from_be_bytes)?,
        [_, 0, 0, 0, ..] => of_utf32(message, u32::from_le_bytes)?,
        [0, _, ..] => of_utf16(message, u16::from_be_bytes)?,
        [_, 0, ..] => of_utf16(message, u16::from_le_bytes)?,
        _ => return None,
    };
    Some(text.into_bytes())
}

fn of_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect::<Result<_, _>>().ok()
}

fn of_utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (units, []) = bytes.as_chunks::<4>() else { return None };
    units.iter().map(|bytes| char::from_u32(unit(*bytes))).collect()
}

/// Removes leading zeros of numbers; `None` if there are none.
fn without_leading_zeros(text: &[u8]) -> Option<Vec<u8>> {
    let mut out: Option<Vec<u8>> = None;
    let (mut at, mut in_string) = (0, false);
    let mut previous = b' ';
    while let Some(&byte) = text.get(at) {
        let begins_number = !in_string && !matches!(previous, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+');
        let is_zero = begins_number && byte == b'0' && text.get(at + 1).is_some_and(u8::is_ascii_digit);
        // The sign of an exponent does not begin a number: zeros after it are allowed.
        let in_exponent = previous == b'-' && at >= 2 && matches!(text[at - 2], b'e' | b'E');
        if is_zero && !in_exponent {
            out.get_or_insert_with(|| text[..at].to_vec());
            at += 1;
            continue;
        }
        if let Some(out) = &mut out {
            out.push(byte);
        }
        match byte {
            b'\\' if in_string => {
                if let (Some(out), Some(escaped)) = (&mut out, text.get(at + 1)) {
                    out.push(*escaped);
                }
                at += 1;
            }
            b'"' => in_string = !in_string,
            _ => {}
        }
        previous = byte;
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rewritten(text: &str) -> Option<String> {
        strict(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_the_leading_zeros_of_numbers_are_dropped() {
        for (text, expected) in [
            ("007", "7"),
            ("-007", "-7"),
            ("00", "0"),
            ("-00.5", "-0.5"),
            (r#"{"007":007,"b":[00,010]}"#, r#"{"007":7,"b":[0,10]}"#),
            (r#"["\"00",01e-05]"#, r#"["\"00",1e-05]"#),
            (r#"["a\\",01]"#, r#"["a\\",1]"#),
        ] {
            assert_eq!(rewritten(text).as_deref(), Some(expected));
        }
        for text in ["", "0", "-0", "0.001", "100", "1e-05", "1.5e+007", r#""007""#, r#"{"a":"x\"00"}"#] {
            assert_eq!(rewritten(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_encoding_that_jackson_tells_is_read(text in "\\{\"[a-zé😀0]{0,6}\":\"\\PC{0,6}\"\\}") {
            let units: Vec<u16> = text.encode_utf16().collect();
            let chars: Vec<u32> = text.chars().map(u32::from).collect();
            let with_mark = |mark: &[u8], bytes: Vec<u8>| [mark.to_vec(), bytes].concat();
            let be16 = units.iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<u8>>();
            let le16 = units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
            let be32 = chars.iter().flat_map(|char| char.to_be_bytes()).collect::<Vec<u8>>();
            let le32 = chars.iter().flat_map(|char| char.to_le_bytes()).collect::<Vec<u8>>();
            for message in [
                with_mark(&[0xFE, 0xFF], be16.clone()), be16, with_mark(&[0xFF, 0xFE], le16.clone()), le16,
                with_mark(&[0, 0, 0xFE, 0xFF], be32.clone()), be32, with_mark(&[0xFF, 0xFE, 0, 0], le32.clone()), le32,
                with_mark(&[0xEF, 0xBB, 0xBF], text.clone().into_bytes()),
            ] {
                prop_assert_eq!(strict(&message), Some(text.clone().into_bytes()));
            }
            prop_assert_eq!(strict(text.as_bytes()), None);
        }

        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
            strict(&bytes);
        }
    }
}
