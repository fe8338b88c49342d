//! A position in the bytes of one message, and the basic steps of parsing JSON.

use super::failure::{Decoded, Failure};

/// 1 in each byte.
pub(super) const ONES: u64 = 0x0101_0101_0101_0101;
/// The highest bit of each byte.
pub(super) const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// A position in JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    input: &'a [u8],
    pos: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of `input`.
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { input, pos: 0 }
    }

    /// The whole text.
    #[inline]
    pub(crate) fn input(&self) -> &'a [u8] {
        self.input
    }

    /// The position, in bytes.
    #[inline]
    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// Moves to `pos`.
    #[inline]
    pub(crate) fn seek(&mut self, pos: usize) {
        self.pos = pos;
    }

    /// The text from `start` up to the position.
    #[inline]
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        &self.input[start..self.pos]
    }

    /// The next byte, without consuming it.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.input.get(self.pos).copied()
    }

    /// Consumes `count` bytes that were peeked.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.pos += count;
    }

    /// Skips white space.
    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.pos += 1;
        }
    }

    /// Consumes `byte` if it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    /// Consumes `text` if it is next.
    #[inline]
    pub(crate) fn take_text(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.pos += text.len();
        }
        found
    }

    /// Consumes `pattern` if it is next.
    #[inline]
    pub(crate) fn take_pattern(&mut self, pattern: &Pattern) -> bool {
        let found = pattern.starts(self.rest());
        if found {
            self.pos += pattern.text.len();
        }
        found
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.input.get(self.pos..).unwrap_or_default()
    }

    /// Consumes `literal`, whose first byte was peeked.
    pub(crate) fn expect_literal(&mut self, literal: &'static str) -> Decoded<()> {
        if self.take_text(literal.as_bytes()) { Ok(()) } else { Err(self.syntax("expected null, true or false")) }
    }

    /// Fails unless the position is at the end of the message.
    pub(crate) fn expect_end(&mut self) -> Decoded<()> {
        self.skip_space();
        if self.pos >= self.input.len() { Ok(()) } else { Err(self.syntax("unexpected text after the value")) }
    }

    /// A syntax error here.
    #[cold]
    pub(crate) fn syntax(&self, message: &'static str) -> Failure {
        if self.input.is_empty() {
            return Failure::syntax("the message is empty", 0);
        }
        let at = self.pos.min(self.input.len());
        Failure::syntax(if at == self.input.len() { "unexpected end" } else { message }, at)
    }

    /// Position of the first `"`, `\` or control character from here on; the end of the text if there is none.
    #[inline]
    pub(crate) fn find_string_end(&self) -> usize {
        let mut at = self.pos;
        while let Some(chunk) = self.input.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let stops = string_stops(u64::from_le_bytes(*chunk));
            if stops != 0 {
                return at + (stops.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        let rest = self.input.get(at..).unwrap_or_default();
        at + rest.iter().position(|byte| ends_plain_text(*byte)).unwrap_or(rest.len())
    }
}

/// A text for frequent comparisons: up to 16 bytes in two comparisons of words.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: Box<[u8]>,
    /// The first 8 bytes; missing bytes are 0, here and in `mask`.
    head: u64,
    mask: u64,
    /// The last 8 bytes of a text with more than 8.
    tail: u64,
}

impl Pattern {
    /// A pattern of `text`.
    pub(crate) fn new(text: Vec<u8>) -> Self {
        let mut head = [0; 8];
        let mut mask = [0; 8];
        for (at, byte) in text.iter().take(8).enumerate() {
            head[at] = *byte;
            mask[at] = 0xFF;
        }
        let tail = text.last_chunk::<8>().copied().unwrap_or_default();
        Self {
            text: text.into(),
            head: u64::from_le_bytes(head),
            mask: u64::from_le_bytes(mask),
            tail: u64::from_le_bytes(tail),
        }
    }

    #[inline]
    fn starts(&self, input: &[u8]) -> bool {
        let Some(head) = input.first_chunk::<8>() else { return input.starts_with(&self.text) };
        if u64::from_le_bytes(*head) & self.mask != self.head {
            return false;
        }
        match self.text.len() {
            ..=8 => true,
            len @ 9..=16 => {
                let tail = input.get(len - 8..len).and_then(|tail| tail.first_chunk::<8>());
                tail.is_some_and(|tail| u64::from_le_bytes(*tail) == self.tail)
            }
            _ => input.starts_with(&self.text),
        }
    }
}

/// Whether a byte of a string is special: `"`, `\` or a control character.
#[inline]
pub(crate) fn ends_plain_text(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// Sets the high bit of each byte that [`ends_plain_text`]; bits above the lowest set one may be wrong.
#[inline]
pub(crate) fn string_stops(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero_in(quote) | zero_in(backslash) | control) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_pattern_is_found_exactly_where_its_text_starts(
            text in "[ab]{1,20}",
            input in "[ab]{0,24}",
            same in any::<bool>(),
        ) {
            let input = if same { format!("{text}{input}") } else { input };
            let mut cursor = Cursor::new(input.as_bytes());
            let found = cursor.take_pattern(&Pattern::new(text.clone().into_bytes()));
            prop_assert_eq!(found, input.starts_with(&text));
            prop_assert_eq!(cursor.pos(), if found { text.len() } else { 0 });
        }

        #[test]
        fn the_end_of_plain_text_is_found_wherever_it_stands(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let expected = bytes.iter().position(|byte| ends_plain_text(*byte)).unwrap_or(bytes.len());
            prop_assert_eq!(Cursor::new(&bytes).find_string_end(), expected);
        }
    }
}
