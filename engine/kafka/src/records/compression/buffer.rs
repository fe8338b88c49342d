//! A buffer that is filled from its beginning again and again.

use super::Failure;

/// Bytes, of which the first are filled. What is behind them stays initialised, so that using it again costs nothing.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
    most: usize,
}

impl Buffer {
    /// Empties the buffer. It will take up to `most` bytes.
    pub(super) fn clear(&mut self, most: usize) {
        self.filled = 0;
        self.most = most;
    }

    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    pub(super) fn len(&self) -> usize {
        self.filled
    }

    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Bytes that the buffer can still take.
    pub(super) fn left(&self) -> usize {
        self.most - self.filled
    }

    /// What is filled, and room behind it: `wanted` bytes or more, fewer where the limit is near. No room is an error.
    pub(super) fn split(&mut self, wanted: usize) -> Result<(&[u8], &mut [u8]), Failure> {
        let wanted = wanted.min(self.left());
        if wanted == 0 {
            return Err(Failure::TooLarge);
        }
        let end = self.filled + wanted;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let most = self.most.min(self.bytes.len());
        let (filled, room) = self.bytes.split_at_mut(self.filled);
        Ok((filled, &mut room[..most - self.filled]))
    }

    /// The room of [`Buffer::split`].
    pub(super) fn room(&mut self, wanted: usize) -> Result<&mut [u8], Failure> {
        self.split(wanted).map(|(_, room)| room)
    }

    /// Counts bytes as filled that were written to the room.
    pub(super) fn advance(&mut self, bytes: usize) {
        debug_assert!(self.filled + bytes <= self.bytes.len(), "more is filled than there is room");
        self.filled += bytes;
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.is_empty() {
            return Ok(());
        }
        let room = self.room(bytes.len())?.get_mut(..bytes.len()).ok_or(Failure::TooLarge)?;
        room.copy_from_slice(bytes);
        self.advance(bytes.len());
        Ok(())
    }
}
