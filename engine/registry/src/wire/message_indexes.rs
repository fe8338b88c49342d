//! Which message of a `.proto` file: its index in the file, then in the message around it, and so on.
//!
//! Written as a count and that many indexes, all as zig-zag varints. The first message of the file, which is the usual one,
//! is a single zero. Some libraries do not write zig-zag: a count that would be negative as zig-zag shows it.

use volley_api::Result;

use super::serialization_error;

const MORE: u8 = 0x80;
const VARINT_BYTES: usize = 5;

/// The way to a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageIndexes {
    /// Empty for the first message of the file: reading it allocates nothing.
    path: Vec<i32>,
}

impl MessageIndexes {
    /// The way through `path`; the empty path is the first message of the file.
    pub fn new(path: &[i32]) -> Self {
        let path = if path == [0] { Vec::new() } else { path.to_vec() };
        Self { path }
    }

    /// The indexes, from the outermost message in; never empty.
    pub fn path(&self) -> &[i32] {
        if self.path.is_empty() { &[0] } else { &self.path }
    }

    /// Reads indexes; what follows them comes back too.
    ///
    /// # Errors
    /// `Data` if there are none.
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8])> {
        read(bytes).ok_or_else(|| {
            serialization_error("the indexes that say which Protobuf message it is are damaged: is it Protobuf?")
        })
    }

    /// Appends the indexes.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_varint(zig_zag(i32::try_from(self.path.len()).unwrap_or(i32::MAX)), out);
        self.path.iter().for_each(|index| write_varint(zig_zag(*index), out));
    }
}

fn read(bytes: &[u8]) -> Option<(MessageIndexes, &[u8])> {
    let (count, mut rest) = read_varint(bytes)?;
    let is_plain = count % 2 == 1;
    let decoded = |number: u32| if is_plain { i32::try_from(number).ok() } else { Some(un_zig_zag(number)) };
    let count = usize::try_from(decoded(count)?).ok()?;
    // Each index is a byte at least: a count beyond that is refused before anything is allocated for it.
    if count > rest.len() {
        return None;
    }
    let mut path = Vec::new();
    for _ in 0..count {
        let (index, after) = read_varint(rest)?;
        path.push(decoded(index).filter(|index| *index >= 0)?);
        rest = after;
    }
    if path == [0] {
        path.clear();
    }
    Some((MessageIndexes { path }, rest))
}

fn read_varint(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0_u64;
    for (place, byte) in bytes.iter().take(VARINT_BYTES).enumerate() {
        number |= u64::from(byte & !MORE) << (7 * place);
        if byte & MORE == 0 {
            return Some((u32::try_from(number).ok()?, &bytes[place + 1..]));
        }
    }
    None
}

fn write_varint(mut number: u32, out: &mut Vec<u8>) {
    while number >= u32::from(MORE) {
        out.push(number.to_le_bytes()[0] | MORE);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn zig_zag(number: i32) -> u32 {
    ((number << 1) ^ (number >> 31)).cast_unsigned()
}

fn un_zig_zag(number: u32) -> i32 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(path: &[i32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        MessageIndexes::new(path).write(&mut bytes);
        bytes
    }

    #[test]
    fn the_first_message_is_a_single_zero() {
        assert_eq!(written(&[0]), [0]);
        assert_eq!(written(&[]), [0]);
        assert_eq!(written(&[1, 0]), [4, 2, 0]);
        assert_eq!(MessageIndexes::new(&[]).path(), [0]);
    }

    #[test]
    fn the_ways_that_libraries_write_it_are_all_read() {
        for (bytes, path) in [
            (&[0_u8][..], &[0][..]),
            (&[2, 0], &[0]),
            (&[1, 0], &[0]),
            (&[1, 3], &[3]),
            (&[3, 1, 0, 2], &[1, 0, 2]),
            (&[4, 2, 0], &[1, 0]),
            (&[2, 0x80, 2], &[128]),
        ] {
            let (indexes, rest) = MessageIndexes::read(bytes).unwrap();
            assert_eq!((indexes.path(), rest), (path, &[][..]), "{bytes:?}");
            assert_eq!(indexes, MessageIndexes::new(path));
        }
    }

    #[test]
    fn damaged_indexes_are_refused() {
        for bytes in [&[][..], &[2], &[4, 0], &[0x80], &[2, 1], &[0x80; 6], &[0xfe, 0xff, 0xff, 0xff, 0x0f], &[0xff; 5]]
        {
            assert!(MessageIndexes::read(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            path in proptest::collection::vec(0..=i32::MAX, 1..9),
            rest in proptest::collection::vec(any::<u8>(), 0..9),
        ) {
            let mut bytes = written(&path);
            bytes.extend_from_slice(&rest);
            let (indexes, after) = MessageIndexes::read(&bytes).unwrap();
            prop_assert_eq!(indexes.path(), &path[..]);
            prop_assert_eq!(after, &rest[..]);
        }

        #[test]
        fn zig_zag_goes_both_ways(number in any::<i32>()) {
            prop_assert_eq!(un_zig_zag(zig_zag(number)), number);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let _ = MessageIndexes::read(&bytes);
        }
    }
}
