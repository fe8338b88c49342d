//! Reading of numbers and byte strings off untrusted bytes. What is not whole there is `None`.

/// The rest of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// Longest zigzag form of 32 bits.
const VARINT_BYTES: usize = 5;

/// Longest zigzag form of 64 bits.
const VARLONG_BYTES: usize = 10;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }

    /// A zigzag number of up to 32 bits. As for Java, bits beyond those are dropped.
    #[inline]
    pub(super) fn varint(&mut self) -> Option<i32> {
        let zigzag = self.unsigned_varint(VARINT_BYTES)? as u32;
        Some((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32))
    }

    /// A zigzag number of up to 64 bits.
    #[inline]
    pub(super) fn varlong(&mut self) -> Option<i64> {
        let zigzag = self.unsigned_varint(VARLONG_BYTES)?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    #[inline]
    fn unsigned_varint(&mut self, longest: usize) -> Option<u64> {
        let (&first, rest) = self.rest.split_first()?;
        if first < 0x80 {
            self.rest = rest;
            return Some(u64::from(first));
        }
        let (&second, rest) = rest.split_first()?;
        if second < 0x80 {
            self.rest = rest;
            return Some(u64::from(first & 0x7f) | u64::from(second) << 7);
        }
        self.longer_varint(longest)
    }

    fn longer_varint(&mut self, longest: usize) -> Option<u64> {
        let mut value = 0;
        for (index, &byte) in self.rest.iter().take(longest).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Some(value);
            }
        }
        None
    }

    /// Bytes behind their length as a varint; a negative length is null.
    #[inline]
    pub(super) fn varint_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        match usize::try_from(self.varint()?) {
            Ok(length) => self.take(length).map(Some),
            Err(_) => Some(None),
        }
    }

    /// Bytes behind their length in 32 bits; a negative length is null.
    pub(super) fn i32_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        match usize::try_from(self.i32()?) {
            Ok(length) => self.take(length).map(Some),
            Err(_) => Some(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zigzag(value: i64) -> Vec<u8> {
        let mut rest = (value << 1) as u64 ^ (value >> 63) as u64;
        let mut bytes = Vec::new();
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    }

    #[test]
    fn a_number_that_does_not_end_is_none() {
        assert_eq!(Reader::new(&[0x80; 5]).varint(), None);
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0]).varint(), None);
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0]).varlong(), Some(0));
        assert_eq!(Reader::new(&[0xff; 10]).varlong(), None);
        assert_eq!(Reader::new(&[0x80]).varint(), None);
        assert_eq!(Reader::new(&[]).varint(), None);
    }

    #[test]
    fn a_negative_length_is_null_and_one_beyond_the_end_is_nothing() {
        assert_eq!(Reader::new(&zigzag(-1)).varint_bytes(), Some(None));
        assert_eq!(Reader::new(&[4, 1]).varint_bytes(), None);
        assert_eq!(Reader::new(&[4, 1, 2]).varint_bytes(), Some(Some(&[1, 2][..])));
        assert_eq!(Reader::new(&zigzag(i64::from(i32::MAX))).varint_bytes(), None);
        assert_eq!(Reader::new(&[0xff; 4]).i32_bytes(), Some(None));
        assert_eq!(Reader::new(&[0x7f, 0xff, 0xff, 0xff]).i32_bytes(), None);
    }

    proptest! {
        #[test]
        fn every_number_comes_back_and_nothing_behind_it_is_taken(long in any::<i64>(), int in any::<i32>(), behind in 0..3_usize) {
            let with_tail = |value| [zigzag(value), vec![9; behind]].concat();
            let bytes = with_tail(long);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!((reader.varlong(), reader.left()), (Some(long), behind));
            let bytes = with_tail(i64::from(int));
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!((reader.varint(), reader.left()), (Some(int), behind));
        }
    }
}
