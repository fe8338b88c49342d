//! Bytes into lines. A line ends with `\n`, `\r\n` or `\r`; what has no end yet is kept back.

use std::io::{self, Read};

use arrow::array::StringArray;
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use memchr::memchr2;
use volley_api::Result;

/// What is read at once: large enough that system calls do not count, small beside a batch.
const CHUNK_BYTES: usize = 256 * 1024;

/// Text of a batch after which it is closed though it has few lines. Far below the 2 GiB that a STRING column may hold.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// How many bytes before the position are kept at least: what tells a file that has grown from one that was overwritten.
pub(super) const LOOK_BACK: usize = 1024;

/// A line is longer than allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LineTooLong {
    /// Where it begins, in bytes.
    pub(super) position: u64,
}

/// The lines of one batch, without their ends, one after the other.
#[derive(Debug)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
}

impl Lines {
    /// No line.
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), offsets: vec![0] }
    }

    /// Number of lines.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no line.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a batch of at most `most` lines can take no more.
    pub(super) fn is_full(&self, most: usize) -> bool {
        self.len() >= most || self.bytes.len() >= BATCH_BYTES
    }

    /// The lines as a column. Bytes that are no UTF-8 become U+FFFD, as in Kafka Connect.
    pub(super) fn into_array(self) -> Result<StringArray> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let bytes = Buffer::from_vec(self.bytes);
        // Fails where any single line is no UTF-8, even if all of them together are.
        StringArray::try_new(offsets.clone(), bytes.clone(), None).or_else(|_| {
            let lines = offsets.windows(2).map(|ends| &bytes[ends[0] as usize..ends[1] as usize]);
            Ok(StringArray::from_iter_values(lines.map(String::from_utf8_lossy)))
        })
    }

    fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.offsets.push(self.bytes.len() as i32);
    }
}

/// Takes bytes in any portions and gives the same lines.
#[derive(Debug)]
pub(super) struct LineSplitter {
    /// From before `start`: what was taken last.
    buffer: Vec<u8>,
    /// Start of the first line that has not been taken.
    start: usize,
    /// No line end stands between `start` and here.
    searched: usize,
    /// Position of `start` in the input.
    position: u64,
    /// Nothing follows: what is held back is a line.
    ended: bool,
    max_line_bytes: usize,
}

impl LineSplitter {
    /// For an input from its beginning.
    pub(super) fn new(max_line_bytes: usize) -> Self {
        Self { buffer: Vec::new(), start: 0, searched: 0, position: 0, ended: false, max_line_bytes }
    }

    /// Forgets everything and goes on at `position` of an input in which `before` stands before it.
    pub(super) fn restart(&mut self, position: u64, before: Vec<u8>) {
        let start = before.len();
        *self = Self {
            buffer: before,
            start,
            searched: start,
            position,
            ended: false,
            max_line_bytes: self.max_line_bytes,
        };
    }

    /// Says that nothing follows, so that what is held back is a line; whether anything is.
    pub(super) fn end(&mut self) -> bool {
        self.ended = true;
        !self.held_back().is_empty()
    }

    /// The position after the last line that was taken, in bytes.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes that are in no line yet.
    pub(super) fn held_back(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// How far the input has been read.
    pub(super) fn end_position(&self) -> u64 {
        self.position + self.held_back().len() as u64
    }

    /// What stands before the position: its last `LOOK_BACK` bytes, or all if there are fewer.
    pub(super) fn before_position(&self) -> &[u8] {
        self.before_last(self.held_back().len())
    }

    /// What stands before the last `count` bytes that were read, in the same way.
    pub(super) fn before_last(&self, count: usize) -> &[u8] {
        let before = &self.buffer[..self.buffer.len() - count];
        &before[before.len().saturating_sub(LOOK_BACK)..]
    }

    /// Adds bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.make_room();
        self.buffer.extend_from_slice(bytes);
    }

    /// Reads once, up to a chunk; the number of bytes, 0 at the end of the input.
    pub(super) fn read_from(&mut self, input: &mut impl Read) -> io::Result<usize> {
        self.make_room();
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK_BYTES, 0);
        let read = loop {
            match input.read(&mut self.buffer[held..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(held + read.as_ref().copied().unwrap_or(0));
        read
    }

    /// Moves complete lines into a batch until it has `most` or there are no more.
    ///
    /// # Errors
    /// If the next line is too long; the batch has the lines before it.
    pub(super) fn take_into(&mut self, lines: &mut Lines, most: usize) -> std::result::Result<(), LineTooLong> {
        while !lines.is_full(most) {
            let found = self.next_end();
            let end = found.map_or(self.searched, |(end, _)| end);
            if end - self.start > self.max_line_bytes {
                return Err(LineTooLong { position: self.position });
            }
            let Some((end, next)) = found else { break };
            lines.push(&self.buffer[self.start..end]);
            self.position += (next - self.start) as u64;
            (self.start, self.searched) = (next, next);
        }
        Ok(())
    }

    /// Where the first line ends and where the next one starts. A `\r` at the end of what there is may be half of a
    /// `\r\n`: it ends no line yet.
    fn next_end(&mut self) -> Option<(usize, usize)> {
        let Some(found) = memchr2(b'\n', b'\r', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            return (self.ended && !self.held_back().is_empty()).then_some((self.searched, self.searched));
        };
        let end = self.searched + found;
        match (self.buffer[end], self.buffer.get(end + 1)) {
            (b'\r', None) if !self.ended => {
                self.searched = end;
                None
            }
            (b'\r', Some(b'\n')) => Some((end, end + 2)),
            _ => Some((end, end + 1)),
        }
    }

    fn make_room(&mut self) {
        let surplus = self.start.saturating_sub(LOOK_BACK);
        self.buffer.drain(..surplus);
        self.searched -= surplus;
        self.start -= surplus;
        self.ended = false;
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 1_000;

    /// The lines and the position after each, found one byte at a time.
    fn expected(bytes: &[u8]) -> Vec<(String, u64)> {
        let (mut lines, mut line, mut at) = (Vec::new(), Vec::new(), 0);
        while at < bytes.len() {
            let width = match (bytes[at], bytes.get(at + 1)) {
                (b'\n', _) => 1,
                (b'\r', Some(b'\n')) => 2,
                (b'\r', Some(_)) => 1,
                (b'\r', None) => break,
                (byte, _) => {
                    line.push(byte);
                    at += 1;
                    continue;
                }
            };
            at += width;
            lines.push((String::from_utf8_lossy(&line).into_owned(), at as u64));
            line.clear();
        }
        lines
    }

    fn split(portions: &[&[u8]], most: usize) -> Vec<(String, u64)> {
        let mut splitter = LineSplitter::new(MAX);
        let mut all = Vec::new();
        for portion in portions {
            splitter.push(portion);
            loop {
                let mut lines = Lines::new();
                splitter.take_into(&mut lines, most).unwrap();
                if lines.is_empty() {
                    break;
                }
                let array = lines.into_array().unwrap();
                all.extend(array.iter().map(|line| (line.unwrap().to_owned(), u64::MAX)));
                all.last_mut().unwrap().1 = splitter.position();
            }
        }
        all
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        const PIECES: &[&[u8]] =
            &[b"\n", b"\r", b"\r\n", b"", b"abc", "\u{e9}\u{1f600}".as_bytes(), b"\xff", b"\xc3", b"\xa9", b"x y"];
        prop::collection::vec(prop::sample::select(PIECES), 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_portions_of_a_file_give_the_same_lines_and_positions(
            bytes in text(),
            mut cuts in prop::collection::vec(0usize..200, 0..12),
            most in 1usize..5,
        ) {
            cuts.iter_mut().for_each(|cut| *cut = (*cut).min(bytes.len()));
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let portions: Vec<&[u8]> = cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect();
            let expected = expected(&bytes);
            let found = split(&portions, most);
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(&found.0, &expected.0);
                // Within a batch only its last position is known.
                prop_assert!(found.1 == u64::MAX || found.1 == expected.1);
            }
            prop_assert_eq!(split(&portions, 1), expected);
        }

        #[test]
        fn going_on_at_any_position_gives_the_remaining_lines(bytes in text(), index in 0usize..40) {
            let all = expected(&bytes);
            if all.is_empty() {
                return Ok(());
            }
            let index = index % all.len();
            let (before, after) = bytes.split_at(all[index].1 as usize);
            let mut splitter = LineSplitter::new(MAX);
            splitter.restart(all[index].1, before.to_vec());
            splitter.push(after);
            let mut lines = Lines::new();
            splitter.take_into(&mut lines, usize::MAX).unwrap();
            let array = lines.into_array().unwrap();
            let texts: Vec<_> = array.iter().map(|line| line.unwrap().to_owned()).collect();
            let rest: Vec<_> = all[index + 1..].iter().map(|line| line.0.clone()).collect();
            prop_assert_eq!(texts, rest);
            let position = splitter.position() as usize;
            prop_assert_eq!(position as u64, all.last().unwrap().1);
            prop_assert_eq!(splitter.before_position(), &bytes[position.saturating_sub(LOOK_BACK)..position]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_after_the_lines_before_it() {
        let mut splitter = LineSplitter::new(5);
        splitter.restart(100, Vec::new());
        splitter.push(b"12345\n123456");
        let mut lines = Lines::new();
        assert_eq!(splitter.take_into(&mut lines, 10), Err(LineTooLong { position: 106 }));
        assert_eq!(lines.into_array().unwrap().len(), 1);
    }

    #[test]
    fn at_the_end_of_an_input_what_has_no_end_is_a_line() {
        for (text, last, position) in [("a\nbc", "bc", 4), ("a\nbc\r", "bc", 5)] {
            let mut splitter = LineSplitter::new(MAX);
            splitter.push(text.as_bytes());
            let mut lines = Lines::new();
            splitter.take_into(&mut lines, 9).unwrap();
            assert_eq!(lines.len(), 1, "{text:?}");
            assert!(splitter.end());
            splitter.take_into(&mut lines, 9).unwrap();
            assert_eq!((lines.into_array().unwrap().value(1), splitter.position()), (last, position), "{text:?}");
            assert!(!splitter.end());
        }
    }

    #[test]
    fn reading_gives_what_pushing_gives() {
        let bytes = b"some line\r\n".repeat(60_000);
        let mut input = bytes.as_slice();
        let mut splitter = LineSplitter::new(MAX);
        let mut lines = Lines::new();
        while splitter.read_from(&mut input).unwrap() > 0 {
            splitter.take_into(&mut lines, usize::MAX).unwrap();
        }
        assert_eq!((lines.len(), splitter.position()), (60_000, bytes.len() as u64));
    }
}
