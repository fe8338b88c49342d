//! The bytes of an Avro message, from front to back. Avro specification 1.12, "Binary encoding".

use std::borrow::Cow;

use crate::json::{Decoded, Failure};

const TOO_SHORT: &str = "the message ends within a value";

/// What is left of a message.
#[derive(Clone, Debug)]
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    /// All of a message.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
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

    /// A long: zig-zag, seven bits a byte, the lowest first.
    #[inline]
    pub(crate) fn long(&mut self) -> Decoded<i64> {
        // most integers, lengths and branches have one byte
        if let Some((first, left)) = self.bytes.split_first()
            && *first < 0x80
        {
            self.bytes = left;
            return Ok(i64::from(*first >> 1) ^ -i64::from(*first & 1));
        }
        match self.bytes.first_chunk() {
            Some(bytes) => self.up_to_eight_bytes(u64::from_le_bytes(*bytes)),
            None => self.longer(),
        }
    }

    /// A long whose bytes are among these eight, which come next: their groups of seven bits are joined two by two.
    #[inline]
    fn up_to_eight_bytes(&mut self, bytes: u64) -> Decoded<i64> {
        const LAST_BYTE: u64 = 0x8080_8080_8080_8080;
        let last = !bytes & LAST_BYTE;
        if last == 0 {
            return self.longer();
        }
        let bits = bytes & (last ^ (last - 1));
        let pairs = (bits & 0x007F_007F_007F_007F) | ((bits & 0x7F00_7F00_7F00_7F00) >> 1);
        let fours = (pairs & 0x0000_3FFF_0000_3FFF) | ((pairs & 0x3FFF_0000_3FFF_0000) >> 2);
        let bits = (fours & 0x0FFF_FFFF) | ((fours & 0x0FFF_FFFF_0000_0000) >> 4);
        self.bytes = &self.bytes[last.trailing_zeros() as usize / 8 + 1..];
        Ok((bits >> 1) as i64 ^ -((bits & 1) as i64))
    }

    #[cold]
    fn longer(&mut self) -> Decoded<i64> {
        let mut bits = 0u64;
        for (place, byte) in self.bytes.iter().take(10).enumerate() {
            bits |= u64::from(byte & 0x7F) << (7 * place);
            if byte & 0x80 == 0 {
                if place == 9 && *byte > 1 {
                    break;
                }
                self.bytes = &self.bytes[place + 1..];
                return Ok((bits >> 1) as i64 ^ -((bits & 1) as i64));
            }
        }
        Err(if self.bytes.len() < 10 { too_short() } else { Failure::unfit("an integer has more than 64 bits") })
    }

    /// The length of bytes or text.
    #[inline]
    pub(crate) fn length(&mut self) -> Decoded<usize> {
        let length = self.long()?;
        usize::try_from(length).map_err(|_| Failure::unfit(format!("a length is {length}")))
    }

    /// Bytes or text with their length before them.
    #[inline]
    pub(crate) fn sized(&mut self) -> Decoded<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }

    /// The bytes of a string. What is no UTF-8 is replaced, as Java does it.
    #[inline]
    pub(crate) fn text_bytes(&mut self) -> Decoded<Cow<'a, [u8]>> {
        let bytes = self.sized()?;
        // most texts are short and ASCII, which is told much faster than UTF-8
        if bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok() {
            return Ok(Cow::Borrowed(bytes));
        }
        Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned().into_bytes()))
    }

    /// A string, as [`text_bytes`](Self::text_bytes).
    pub(crate) fn text(&mut self) -> Decoded<Cow<'a, str>> {
        let bytes = self.sized()?;
        Ok(match simdutf8::basic::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        })
    }

    /// The number of items in the next block of an array or a map; 0 ends it.
    ///
    /// More items than bytes can stand there only if an item has none. Such items are limited, since a message of a few bytes
    /// could claim any number of them.
    pub(crate) fn block(&mut self) -> Decoded<usize> {
        /// More than this many items without bytes are taken for an error.
        const EMPTY_ITEMS: usize = 10_000;
        let count = self.long()?;
        if count < 0 {
            // the block's size in bytes, for those who skip it
            self.long()?;
        }
        let items = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        if items > self.left().max(EMPTY_ITEMS) {
            return Err(too_short());
        }
        Ok(items)
    }
}

#[cold]
fn too_short() -> Failure {
    Failure::unfit(TOO_SHORT)
}

/// Appends a long.
pub(crate) fn write_long(out: &mut Vec<u8>, value: i64) {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_long_is_read_as_it_was_written(value: i64, shift in 0u32..64, behind in 0usize..12) {
            let value = value >> shift;
            let mut out = Vec::new();
            write_long(&mut out, value);
            out.resize(out.len() + behind, 0xA5);
            let mut input = Input::new(&out);
            prop_assert_eq!(input.long().unwrap(), value);
            prop_assert_eq!(input.left(), behind);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let mut input = Input::new(&bytes);
            let _ = input.clone().long();
            let _ = input.clone().sized();
            let _ = input.block();
        }
    }

    #[test]
    fn an_integer_of_more_than_64_bits_is_refused() {
        let mut bytes = [0xFF; 10];
        bytes[9] = 1;
        assert_eq!(Input::new(&bytes).long().unwrap(), i64::MIN);
        bytes[9] = 2;
        assert!(Input::new(&bytes).long().is_err());
        assert!(Input::new(&[0x80]).long().is_err());
    }
}
