//! Character sets by their names in Java.

use std::borrow::Cow;

/// A character set. Decoding never fails: what is malformed becomes U+FFFD, as in Java.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8
    Utf8,
    /// ISO-8859-1
    Latin1,
    /// US-ASCII
    Ascii,
    /// UTF-16: big-endian with a byte order mark when written, either order when read.
    Utf16,
    /// UTF-16BE
    Utf16Be,
    /// UTF-16LE
    Utf16Le,
}

impl Charset {
    /// The set of Java's charset name, any case; `None` if it is not known here.
    pub fn named(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "UTF-8" | "UTF8" => Some(Self::Utf8),
            "ISO-8859-1" | "ISO8859_1" | "LATIN1" => Some(Self::Latin1),
            "US-ASCII" | "ASCII" => Some(Self::Ascii),
            "UTF-16" | "UTF16" => Some(Self::Utf16),
            "UTF-16BE" => Some(Self::Utf16Be),
            "UTF-16LE" => Some(Self::Utf16Le),
            _ => None,
        }
    }

    /// Bytes to text.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Ascii => {
                let chars = bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{FFFD}' });
                chars.collect()
            }
            Self::Utf16 => match bytes {
                [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
                [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
                _ => decode_utf16(bytes, u16::from_be_bytes),
            },
            Self::Utf16Be => decode_utf16(bytes, u16::from_be_bytes),
            Self::Utf16Le => decode_utf16(bytes, u16::from_le_bytes),
        }
    }

    /// Text to bytes; what the set does not have becomes `?`, as in Java.
    pub fn encode(self, text: &str) -> Cow<'_, [u8]> {
        let single_bytes = |max: u32| {
            let bytes = text.chars().map(|char| if u32::from(char) <= max { u32::from(char) as u8 } else { b'?' });
            Cow::Owned(bytes.collect())
        };
        match self {
            Self::Utf8 => Cow::Borrowed(text.as_bytes()),
            Self::Latin1 => single_bytes(0xFF),
            Self::Ascii => single_bytes(0x7F),
            Self::Utf16 if text.is_empty() => Cow::Borrowed(&[]),
            Self::Utf16 => {
                let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
                Cow::Owned(units.flat_map(u16::to_be_bytes).collect())
            }
            Self::Utf16Be => Cow::Owned(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Utf16Le => Cow::Owned(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        }
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Cow<'static, str> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String = char::decode_utf16(units).map(|char| char.unwrap_or('\u{FFFD}')).collect();
    if !rest.is_empty() {
        text.push('\u{FFFD}');
    }
    Cow::Owned(text)
}
