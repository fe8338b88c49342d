//! A batch cut into the rows of each stream.

use std::sync::Arc;

use arrow::buffer::ScalarBuffer;
use volley_api::{Column, Error, Records, RejectedRow, Result, SinkBatch, in_row_order};

use super::file_name::{StreamKey, is_legal_topic};
use super::null_values::without_nulls;
use super::partition::Partition;
use super::piece::Piece;
use super::versions::with_version;
use crate::config::NullValues;
use crate::evolution::Compatibility;
use crate::format::{Format, Made, Rows, rejected_row};
use crate::layout::{Partitioner, RowTimes, Rows as RowSelection, Split};

/// Cuts batches.
#[derive(Debug)]
pub(crate) struct Cutter<'a> {
    /// Makes rows.
    pub(crate) format: &'a Format,
    /// Says which directory a row goes to.
    pub(crate) partitioner: &'a dyn Partitioner,
    /// What becomes of null values.
    pub(crate) null_values: NullValues,
    /// Which versions of a schema share a file.
    pub(crate) compatibility: Compatibility,
    /// Now, ms since 1970-01-01 UTC.
    pub(crate) now: i64,
}

impl Cutter<'_> {
    /// The batch as rows of files, by stream and in offset order. Also rows that are in files already: whoever wrote these may have
    /// ended before anybody heard of what was rejected.
    pub(crate) fn pieces(
        &self,
        batch: &SinkBatch,
        partition: &mut Partition,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<Vec<Piece>> {
        let mut pieces = Vec::with_capacity(batch.records.len());
        for (index, rows) in in_row_order(&batch.records) {
            let records = &batch.records[index];
            if !is_legal_topic(&records.topic) {
                let message = format!("`{}` cannot be the name of a topic", records.topic);
                rejected.extend(rows.map(|row| rejected_row(records, row, Error::data(message.clone()))));
                continue;
            }
            let output = self.format.output_fields();
            let key = if output.is_value_alone() { Column::nulls(records.len()) } else { records.key.clone() };
            let bare = Records { key, headers: None, ..records.clone() };
            let is_whole = rows.len() == records.len();
            let records = if is_whole { bare } else { bare.slice(rows.start, rows.len()) };
            let records = without_nulls(records, self.null_values, rejected)?;
            let records = with_version(records, self.compatibility, rejected);
            if !records.is_empty() {
                let maker = partition.row_maker(&records.topic, self.format)?;
                let Made { rows, kept } = maker.rows(&output.around(records.clone())?, rejected)?;
                // who names directories looks at the value, not at what is written around it
                let records = match &kept {
                    None => records,
                    Some(kept) => records.take(kept)?,
                };
                self.split(records, &rows, rejected, &mut pieces)?;
            }
        }
        Ok(pieces)
    }

    fn split(
        &self,
        records: Records,
        rows: &Rows,
        rejected: &mut Vec<RejectedRow>,
        pieces: &mut Vec<Piece>,
    ) -> Result<()> {
        let Split { parts, rejected: refused, times } = self.partitioner.split(&records, self.now)?;
        rejected.extend(refused.into_iter().map(|(row, reason)| rejected_row(&records, row, Error::data(reason))));
        let timestamps = match times {
            None => records.timestamps.clone(),
            Some(RowTimes::Same(time)) => ScalarBuffer::from(vec![time; records.len()]),
            Some(RowTimes::Each(times)) => times,
        };
        let source = self.compatibility.needs_versions().then(|| records.clone());
        let records = Records { value: Column::nulls(records.len()), timestamps, ..records };
        for (directory, selection) in parts {
            let key = StreamKey { topic: Arc::clone(&records.topic), directory };
            let rows = match &selection {
                RowSelection::Range(range) => rows.slice(range.start, range.len()),
                RowSelection::Selected(selected) => rows.take(selected)?,
            };
            let source = source.as_ref().map(|source| selection.of(source)).transpose()?;
            pieces.push(Piece { key, records: selection.of(&records)?, rows, source });
        }
        Ok(())
    }
}
