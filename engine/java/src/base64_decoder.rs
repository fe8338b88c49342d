//! Base64 as Java's basic decoder takes it: the standard alphabet, padding optional. Its words for what is wrong reach
//! clients of the REST API.

/// The bytes that `text` stands for.
///
/// # Errors
/// Java's message.
pub fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    if text.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut pending) = (0_u32, 0_usize);
    let mut rest = text.iter().enumerate();
    for (at, byte) in rest.by_ref() {
        if *byte == b'=' {
            let is_second_missing = pending == 2 && text.get(at + 1) != Some(&b'=');
            if pending == 0 || is_second_missing {
                return Err("Input byte array has wrong 4-byte ending unit".to_owned());
            }
            break;
        }
        let value = value_of(*byte).ok_or_else(|| format!("Illegal base64 character {byte:x}"))?;
        (bits, pending) = (bits << 6 | u32::from(value), pending + 1);
        if pending == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, pending) = (0, 0);
        }
    }
    let end = text.len() - rest.len();
    let end = match pending {
        1 => return Err("Last unit does not have enough valid bits".to_owned()),
        2 => {
            bytes.push((bits >> 4) as u8);
            // The second `=`.
            if end < text.len() { end + 1 } else { end }
        }
        3 => {
            bytes.extend_from_slice(&((bits >> 2) as u16).to_be_bytes());
            end
        }
        _ => end,
    };
    match end < text.len() {
        true => Err(format!("Input byte array has incorrect ending byte at {end}")),
        false => Ok(bytes),
    }
}

fn value_of(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn java_s_decoder_says_the_same() {
        const SHORT: &str = "Input byte[] should at least have 2 bytes for base64 bytes";
        const BITS: &str = "Last unit does not have enough valid bits";
        const UNIT: &str = "Input byte array has wrong 4-byte ending unit";
        const AT_4: &str = "Input byte array has incorrect ending byte at 4";
        for (text, message) in [
            ("A", SHORT),
            ("=", SHORT),
            ("A=", BITS),
            ("A===", BITS),
            ("A=AA", BITS),
            ("AAAAA", BITS),
            ("AAAAA=", BITS),
            ("AA=", UNIT),
            ("AA=A", UNIT),
            ("==", UNIT),
            ("====", UNIT),
            ("=AAA", UNIT),
            ("AAAA=", UNIT),
            ("AAAA==", UNIT),
            ("AAAA====", UNIT),
            ("AAAAAA=", UNIT),
            ("AAA==", AT_4),
            ("AA===", AT_4),
            ("AA==A", AT_4),
            ("AAA=A", AT_4),
            ("AA==AAAA", AT_4),
            ("AAA=AAAA", AT_4),
            ("AAAA!", "Illegal base64 character 21"),
            ("AA A", "Illegal base64 character 20"),
            ("AA-_", "Illegal base64 character 2d"),
            ("A\t", "Illegal base64 character 9"),
        ] {
            assert_eq!(decode_base64(text.as_bytes()).unwrap_err(), message, "{text}");
        }
        assert!(decode_base64(b"").unwrap().is_empty());
        assert_eq!(decode_base64(b"AB==").unwrap(), [0]);
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(bytes: Vec<u8>) {
            prop_assert_eq!(&decode_base64(STANDARD.encode(&bytes).as_bytes()).unwrap(), &bytes);
            prop_assert_eq!(&decode_base64(STANDARD_NO_PAD.encode(&bytes).as_bytes()).unwrap(), &bytes);
        }

        #[test]
        fn no_text_panics(text: Vec<u8>) {
            let _ = decode_base64(&text);
        }
    }
}
