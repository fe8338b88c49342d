//! Protobuf's wire format, from front to back: fields, each with a number and a kind of bytes.

use std::borrow::Cow;

use crate::json::{Decoded, Failure};

const TOO_SHORT: &str = "the message ends within a value";
/// Groups may be nested as deep as this where they are passed over.
const MAX_GROUPS: usize = 100;

/// How the bytes of a field stand in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Varint,
    Fixed64,
    Sized,
    GroupStart,
    GroupEnd,
    Fixed32,
}

impl Wire {
    /// The number of the kind, in the lowest bits of a tag.
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Varint => 0,
            Self::Fixed64 => 1,
            Self::Sized => 2,
            Self::GroupStart => 3,
            Self::GroupEnd => 4,
            Self::Fixed32 => 5,
        }
    }
}

/// What is left of a message.
#[derive(Clone, Debug)]
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// All of a message.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Whether nothing is left.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next bytes.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Decoded<&'a [u8]> {
        let (taken, left) = self.bytes.split_at_checked(count).ok_or_else(too_short)?;
        self.bytes = left;
        Ok(taken)
    }

    /// The next bytes, as many as an array has.
    #[inline]
    pub(crate) fn take_array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let (taken, left) = self.bytes.split_first_chunk().ok_or_else(too_short)?;
        self.bytes = left;
        Ok(*taken)
    }

    /// A number of seven bits a byte, the lowest first.
    #[inline]
    pub(crate) fn varint(&mut self) -> Decoded<u64> {
        // most numbers, tags and lengths have one byte
        if let Some((first, left)) = self.bytes.split_first()
            && *first < 0x80
        {
            self.bytes = left;
            return Ok(u64::from(*first));
        }
        self.longer()
    }

    fn longer(&mut self) -> Decoded<u64> {
        let mut bits = 0u64;
        for (place, byte) in self.bytes.iter().take(10).enumerate() {
            // as all libraries do it, bits beyond 64 are dropped
            bits |= u64::from(byte & 0x7F).checked_shl(7 * place as u32).unwrap_or(0);
            if byte & 0x80 == 0 {
                self.bytes = &self.bytes[place + 1..];
                return Ok(bits);
            }
        }
        Err(if self.bytes.len() < 10 { too_short() } else { Failure::unfit("a number has more than 10 bytes") })
    }

    /// Bytes with their length before them.
    #[inline]
    pub(crate) fn sized(&mut self) -> Decoded<&'a [u8]> {
        let length = self.varint()?;
        // a length that no memory has is beyond the end too
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// The bytes of a string. What is no UTF-8 is refused if `strict`, and replaced otherwise.
    #[inline]
    pub(crate) fn text(&mut self, strict: bool) -> Decoded<Cow<'a, [u8]>> {
        let bytes = self.sized()?;
        // most texts are short and ASCII, which is told much faster than UTF-8
        if bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok() {
            return Ok(Cow::Borrowed(bytes));
        }
        if strict {
            return Err(Failure::unfit("a string is no UTF-8"));
        }
        Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned().into_bytes()))
    }

    /// The number and the kind of the next field; `None` at the end.
    #[inline]
    pub(crate) fn tag(&mut self) -> Decoded<Option<(u32, Wire)>> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint,
            1 => Wire::Fixed64,
            2 => Wire::Sized,
            3 => Wire::GroupStart,
            4 => Wire::GroupEnd,
            5 => Wire::Fixed32,
            other => return Err(Failure::unfit(format!("a field is of the unknown kind {other}"))),
        };
        match u32::try_from(tag >> 3) {
            Ok(number) if number != 0 && number < 1 << 29 => Ok(Some((number, wire))),
            _ => Err(Failure::unfit(format!("a field has the number {}", tag >> 3))),
        }
    }

    /// Passes over the value of a field.
    #[inline]
    pub(crate) fn skip(&mut self, number: u32, wire: Wire) -> Decoded<()> {
        match wire {
            Wire::Varint => self.varint().map(drop),
            Wire::Fixed64 => self.take(8).map(drop),
            Wire::Sized => self.sized().map(drop),
            Wire::Fixed32 => self.take(4).map(drop),
            Wire::GroupStart => self.group(number).map(drop),
            Wire::GroupEnd => Err(Failure::unfit(format!("group {number} ends and has not begun"))),
        }
    }

    /// What is in a group that has begun; its end is passed.
    pub(crate) fn group(&mut self, number: u32) -> Decoded<&'a [u8]> {
        let all = self.bytes;
        let mut open = vec![number];
        while let Some(innermost) = open.last() {
            let before = self.bytes.len();
            let Some((number, wire)) = self.tag()? else { return Err(too_short()) };
            match wire {
                Wire::GroupStart if open.len() >= MAX_GROUPS => {
                    return Err(Failure::unfit(format!("groups are nested deeper than {MAX_GROUPS} levels")));
                }
                Wire::GroupStart => open.push(number),
                Wire::GroupEnd if number == *innermost => {
                    open.pop();
                    if open.is_empty() {
                        return Ok(&all[..all.len() - before]);
                    }
                }
                Wire::GroupEnd => return Err(Failure::unfit(format!("group {number} ends and has not begun"))),
                _ => self.skip(number, wire)?,
            }
        }
        Err(too_short())
    }
}

#[cold]
fn too_short() -> Failure {
    Failure::unfit(TOO_SHORT)
}

/// Appends a number of seven bits a byte.
#[inline]
pub(crate) fn write_varint(out: &mut Vec<u8>, mut bits: u64) {
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

/// The bytes of a tag.
pub(crate) fn tag_bytes(number: u32, wire: Wire) -> Vec<u8> {
    let mut out = Vec::new();
    write_varint(&mut out, u64::from(number << 3 | wire.number()));
    out
}

/// A signed number so that those near zero are short.
#[inline]
pub(crate) fn zig_zag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The way back from [`zig_zag`].
#[inline]
pub(crate) fn un_zig_zag(bits: u64) -> i64 {
    (bits >> 1).cast_signed() ^ -(bits & 1).cast_signed()
}

/// Appends what `write` appends, with its length before it.
///
/// Room is left for a length of one byte, which is the usual one; what turns out longer is moved.
///
/// # Errors
/// Those of `write`.
pub(crate) fn write_sized<E>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
    let start = out.len();
    out.push(0);
    write(out)?;
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
    } else {
        let mut head = Vec::with_capacity(10);
        write_varint(&mut head, length as u64);
        out.splice(start..=start, head);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_number_is_read_as_it_was_written(value: i64, shift in 0u32..64) {
            let value = value >> shift;
            let mut out = Vec::new();
            write_varint(&mut out, value.cast_unsigned());
            write_varint(&mut out, zig_zag(value));
            let mut input = Input::new(&out);
            prop_assert_eq!(input.varint().unwrap().cast_signed(), value);
            prop_assert_eq!(un_zig_zag(input.varint().unwrap()), value);
            prop_assert!(input.is_empty());
        }

        #[test]
        fn a_length_stands_before_what_it_is_the_length_of(lengths in prop::collection::vec(0usize..20_000, 1..4)) {
            let mut out = vec![7];
            let write = |out: &mut Vec<u8>| {
                lengths.iter().try_for_each(|length| write_sized(out, |out| {
                    out.extend(std::iter::repeat_n(1, *length));
                    Ok::<(), ()>(())
                }))
            };
            write_sized(&mut out, write).unwrap();
            let mut outer = Input::new(&out[1..]);
            let mut inner = Input::new(outer.sized().unwrap());
            prop_assert!(outer.is_empty());
            for length in lengths {
                prop_assert_eq!(inner.sized().unwrap().len(), length);
            }
            prop_assert!(inner.is_empty());
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let mut input = Input::new(&bytes);
            while let Ok(Some((number, wire))) = input.tag() {
                if input.skip(number, wire).is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_group_ends_where_its_own_end_is() {
        // group 1 { group 1 { } field 2 = 5 } field 3
        let bytes = [0x0B, 0x0C, 0x10, 5, 0x0C, 0x18, 1];
        let mut input = Input::new(&bytes);
        assert_eq!(input.group(1).unwrap(), &bytes[..4]);
        assert_eq!(input.tag().unwrap(), Some((3, Wire::Varint)));
        assert!(Input::new(&[0x14]).group(1).is_err());
        assert!(Input::new(&[0x10]).group(1).is_err());
        assert!(Input::new(&[0x0B; 5_000]).group(1).unwrap_err().to_string().contains("deeper"));
    }

    #[test]
    fn damaged_tags_and_numbers_are_refused() {
        for bytes in [&[0x00][..], &[0x07], &[0x0E], &[0x80], &[0xFF; 10], &[0xF8, 0xFF, 0xFF, 0xFF, 0x1F]] {
            assert!(Input::new(bytes).tag().is_err(), "{bytes:?}");
        }
        assert!(Input::new(&[0xFF; 11]).varint().is_err());
        assert!(Input::new(&[5, 1, 2]).sized().is_err());
        assert!(Input::new(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1]).sized().is_err());
    }
}
