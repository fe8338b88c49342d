//! The buffers of columns during construction: plain vectors that can be truncated at any row.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};

/// Validity of rows; without null rows it stores nothing.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    bits: Option<BooleanBufferBuilder>,
}

impl Validity {
    /// One more valid row.
    #[inline]
    pub(crate) fn push_valid(&mut self) {
        if let Some(bits) = &mut self.bits {
            bits.append(true);
        }
    }

    /// `count` null rows after `len` rows.
    pub(crate) fn push_nulls(&mut self, len: usize, count: usize) {
        let bits = self.bits.get_or_insert_with(|| {
            let mut bits = BooleanBufferBuilder::new(len + count);
            bits.append_n(len, true);
            bits
        });
        bits.append_n(count, false);
    }

    /// Whether a row is null.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.bits.as_ref().is_some_and(|bits| !bits.get_bit(row))
    }

    /// Keeps the rows from `start` on for which `keep` is true.
    pub(crate) fn retain(&mut self, start: usize, keep: &[bool]) {
        if let Some(bits) = &mut self.bits {
            retain_bits(bits, start, keep);
        }
    }

    /// Forgets all rows from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(bits) = &mut self.bits {
            bits.truncate(len);
        }
    }

    /// Returns the rows so far, and starts again.
    pub(crate) fn finish(&mut self) -> Option<NullBuffer> {
        let nulls = NullBuffer::new(self.bits.take()?.build());
        (nulls.null_count() > 0).then_some(nulls)
    }
}

/// Keeps the bits from `start` on for which `keep` is true.
pub(crate) fn retain_bits(bits: &mut BooleanBufferBuilder, start: usize, keep: &[bool]) {
    let kept: Vec<bool> =
        keep.iter().zip(start..).filter(|(keep, _)| **keep).map(|(_, row)| bits.get_bit(row)).collect();
    bits.truncate(start);
    bits.append_slice(&kept);
}

/// Values of variable length, one after another.
#[derive(Debug)]
pub(crate) struct Bytes {
    /// Ends of the values; the first entry is 0.
    offsets: Vec<i32>,
    /// The values, and while one is written, its beginning.
    pub(crate) data: Vec<u8>,
}

impl Default for Bytes {
    fn default() -> Self {
        Self { offsets: vec![0], data: Vec::new() }
    }
}

impl Bytes {
    /// Ends a value that was written to `data`. False (and nothing written) if the column would exceed 2 GiB.
    #[inline]
    #[must_use]
    pub(crate) fn end(&mut self) -> bool {
        match i32::try_from(self.data.len()) {
            Ok(end) => {
                self.offsets.push(end);
                true
            }
            Err(_) => {
                self.abandon();
                false
            }
        }
    }

    /// Drops the bytes that were written to `data` after the last value.
    #[cold]
    pub(crate) fn abandon(&mut self) {
        self.data.truncate(self.offsets.last().map_or(0, |end| *end as usize));
    }

    /// The value of `row`.
    pub(crate) fn value(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// Keeps the values from `start` on for which `keep` is true.
    pub(crate) fn retain(&mut self, start: usize, keep: &[bool]) {
        let kept: Vec<u8> =
            keep.iter().zip(start..).filter(|(keep, _)| **keep).flat_map(|(_, row)| self.value(row)).copied().collect();
        let lengths = keep.iter().zip(start..).filter(|(keep, _)| **keep);
        let lengths: Vec<i32> = lengths.map(|(_, row)| self.offsets[row + 1] - self.offsets[row]).collect();
        self.truncate(start);
        self.data.extend_from_slice(&kept);
        for length in lengths {
            let end = self.offsets.last().copied().unwrap_or(0);
            self.offsets.push(end + length);
        }
    }

    /// Adds `count` rows with an arbitrary value.
    pub(crate) fn pad(&mut self, count: usize) {
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.extend(std::iter::repeat_n(end, count));
    }

    /// Forgets all rows from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.abandon();
    }

    /// Returns the values so far, and starts again with the same capacity.
    pub(crate) fn finish(&mut self) -> (OffsetBuffer<i32>, Vec<u8>) {
        let mut offsets = Vec::with_capacity(self.offsets.len());
        offsets.push(0);
        let offsets = std::mem::replace(&mut self.offsets, offsets);
        let room = Vec::with_capacity(self.data.len());
        (OffsetBuffer::new(ScalarBuffer::from(offsets)), std::mem::replace(&mut self.data, room))
    }
}

/// Rows of lists or maps: ends of the runs of elements.
#[derive(Debug)]
pub(crate) struct Ends(Vec<i32>);

impl Default for Ends {
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Ends {
    /// Number of elements in all rows so far.
    #[inline]
    pub(crate) fn elements(&self) -> usize {
        self.0.last().map_or(0, |end| *end as usize)
    }

    /// Opens the last row again; its elements stay.
    pub(crate) fn reopen(&mut self) {
        if self.0.len() > 1 {
            self.0.pop();
        }
    }

    /// Keeps the rows from `start` on for which `keep` is true. Returns the first element of these rows, and which elements
    /// from there on are kept.
    pub(crate) fn retain(&mut self, start: usize, keep: &[bool]) -> (usize, Vec<bool>) {
        let first = self.0[start] as usize;
        let lengths: Vec<i32> = (start..start + keep.len()).map(|row| self.0[row + 1] - self.0[row]).collect();
        let elements =
            keep.iter().zip(&lengths).flat_map(|(keep, length)| std::iter::repeat_n(*keep, *length as usize));
        let elements = elements.collect();
        self.truncate(start);
        for (_, length) in keep.iter().zip(&lengths).filter(|(keep, _)| **keep) {
            let end = self.0.last().copied().unwrap_or(0);
            self.0.push(end + length);
        }
        (first, elements)
    }

    /// Ends a row at `elements`. False if these are too many for a list.
    #[must_use]
    pub(crate) fn push(&mut self, elements: usize) -> bool {
        i32::try_from(elements).map(|end| self.0.push(end)).is_ok()
    }

    /// Adds `count` rows with an arbitrary value.
    pub(crate) fn pad(&mut self, count: usize) {
        let end = self.0.last().copied().unwrap_or(0);
        self.0.extend(std::iter::repeat_n(end, count));
    }

    /// Forgets all rows from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len + 1);
    }

    /// Returns the rows so far, and starts again.
    pub(crate) fn finish(&mut self) -> OffsetBuffer<i32> {
        let mut ends = Vec::with_capacity(self.0.len());
        ends.push(0);
        OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.0, ends)))
    }
}
