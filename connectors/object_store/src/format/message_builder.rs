//! Rows as messages, made one after the other.

use std::sync::Arc;

use arrow::array::BinaryArray;
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use volley_api::{Error, Records, RejectedRow, Result};

use super::rows::{Made, Rows, rejected_row};

/// The messages of some records, in order.
#[derive(Debug)]
pub(crate) struct MessageBuilder {
    data: Vec<u8>,
    ends: Vec<i32>,
    /// The rows without a message, ascending.
    refused: Vec<usize>,
}

impl MessageBuilder {
    /// No messages yet, of `rows` that there will be.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { data: Vec::new(), ends, refused: Vec::new() }
    }

    /// Adds the message of the next record: what `write` appends. If it fails, the record is rejected.
    pub(crate) fn push(
        &mut self,
        records: &Records,
        rejected: &mut Vec<RejectedRow>,
        write: impl FnOnce(&mut Vec<u8>) -> std::result::Result<(), Error>,
    ) {
        let start = self.data.len();
        let written = write(&mut self.data).and_then(|()| {
            let too_long = |_| Error::data("the messages of one batch exceed 2 GiB: make batches smaller");
            i32::try_from(self.data.len()).map_err(too_long)
        });
        let row = self.ends.len() - 1;
        let end = written.unwrap_or_else(|error| {
            self.data.truncate(start);
            self.refused.push(row);
            rejected.push(rejected_row(records, row, error));
            self.ends[row]
        });
        self.ends.push(end);
    }

    /// The messages as rows.
    pub(crate) fn finish(self) -> Result<Made> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let messages = BinaryArray::try_new(offsets, Buffer::from_vec(self.data), None)?;
        let rows = Rows::Messages { schema: Arc::from(""), messages };
        if self.refused.is_empty() { Ok(Made::all(rows)) } else { Made::without(&rows, &self.refused) }
    }
}
