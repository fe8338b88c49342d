//! A batch cut into the rows of each stream.

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::buffer::ScalarBuffer;
use volley_api::{Column, Error, Records, RejectedRow, Result, SinkBatch, in_row_order};

use super::null_values::without_nulls;
use super::piece::Piece;
use super::versions::with_version;
use crate::chain::names::{StreamKey, is_legal_topic};
use crate::chain::partition::Partition;
use crate::config::NullValues;
use crate::evolution::Compatibility;
use crate::format::{Format, Made, OutputField, Rows, rejected_row};
use crate::layout::{Partitioner, RowTimes, Rows as RowSelection, Split};
use crate::siblings::{Sibling, SiblingRows};

/// Cuts batches.
#[derive(Debug)]
pub(crate) struct Cutter<'a> {
    /// Makes rows.
    pub(crate) format: &'a Format,
    /// Says which directory a row goes to.
    pub(crate) partitioner: &'a dyn Partitioner,
    /// What becomes of null values.
    pub(crate) null_values: &'a NullValues,
    /// Which versions of a schema share a file.
    pub(crate) compatibility: Compatibility,
    /// Files beside each file.
    pub(crate) siblings: &'a [Sibling],
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
            let bare = self.bare(records);
            let is_whole = rows.len() == records.len();
            let records = if is_whole { bare } else { bare.slice(rows.start, rows.len()) };
            let (records, nulls) = without_nulls(records, self.null_values, rejected)?;
            if let (Some(nulls), NullValues::Write { directory }) = (nulls, self.null_values) {
                pieces.extend(self.tombstones(nulls, directory, partition, rejected)?);
            }
            let records = with_version(records, self.compatibility, rejected);
            let (records, siblings) = self.with_siblings(records, partition, rejected)?;
            if !records.is_empty() {
                let maker = partition.row_maker(&records.topic, self.format)?;
                let Made { rows, kept } = maker.rows(&output.around(records.clone())?, rejected)?;
                // who names directories looks at the value, not at what is written around it
                let (records, siblings) = match &kept {
                    None => (records, siblings),
                    Some(kept) => (records.take(kept)?, taken(&siblings, kept)?),
                };
                self.split(records, &rows, &siblings, rejected, &mut pieces)?;
            }
        }
        Ok(pieces)
    }

    /// Records without values: their keys are the rows, with what else stands beside these.
    fn tombstones(
        &self,
        nulls: Records,
        directory: &Arc<str>,
        partition: &mut Partition,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<Option<Piece>> {
        let (records, mut siblings) = self.with_siblings(nulls, partition, rejected)?;
        if siblings.is_empty() {
            return Ok(None);
        }
        let rows = siblings.remove(0).rows;
        let key = StreamKey { topic: Arc::clone(&records.topic), directory: Arc::clone(directory) };
        let (no_key, no_value) = (Column::nulls(records.len()), Column::nulls(records.len()));
        let records = Records { key: no_key, value: no_value, headers: None, ..records };
        Ok(Some(Piece { key, records, rows, source: None, siblings }))
    }

    /// The records with what is looked at of them.
    fn bare(&self, records: &Records) -> Records {
        let wants_both = self.partitioner.reads_keys_and_headers();
        let (reads_keys, reads_headers) =
            (self.format.reads(OutputField::Key), self.format.reads(OutputField::Headers));
        let wants_keys = wants_both || reads_keys || self.siblings.iter().any(Sibling::is_of_keys);
        let wants_headers = wants_both || reads_headers || self.siblings.iter().any(|sibling| !sibling.is_of_keys());
        Records {
            key: if wants_keys { records.key.clone() } else { Column::nulls(records.len()) },
            headers: records.headers.clone().filter(|_| wants_headers),
            ..records.clone()
        }
    }

    /// The rows of the files beside others, and the records that have them.
    fn with_siblings(
        &self,
        mut records: Records,
        partition: &mut Partition,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<(Records, Vec<SiblingRows>)> {
        for sibling in self.siblings {
            records = sibling.only_with(records, rejected)?;
        }
        let mut all = Vec::with_capacity(self.siblings.len());
        for (index, sibling) in self.siblings.iter().enumerate() {
            if records.is_empty() {
                break;
            }
            let maker = partition.sibling_maker(&records.topic, index, sibling.format())?;
            let (rows, kept) = sibling.rows(&records, maker, rejected)?;
            if let Some(kept) = &kept {
                records = records.take(kept)?;
                all = taken(&all, kept)?;
            }
            all.push(rows);
        }
        Ok((records, all))
    }

    fn split(
        &self,
        records: Records,
        rows: &Rows,
        siblings: &[SiblingRows],
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
        let (key, value) = (Column::nulls(records.len()), Column::nulls(records.len()));
        let records = Records { key, value, headers: None, timestamps, ..records };
        for (directory, selection) in parts {
            if self.null_values.is_directory(&directory) {
                let message = format!(
                    "the directory `{directory}` is that of records without values: give these another one with \
                     `tombstone.encoded.partition`"
                );
                let refuse = |row| rejected_row(&records, row, Error::data(message.clone()));
                rejected.extend(selection.iter().map(refuse));
                continue;
            }
            let key = StreamKey { topic: Arc::clone(&records.topic), directory };
            let (rows, siblings) = match &selection {
                RowSelection::Range(range) => {
                    let sliced = siblings.iter().map(|rows| rows.slice(range.start, range.len()));
                    (rows.slice(range.start, range.len()), sliced.collect())
                }
                RowSelection::Selected(selected) => (rows.take(selected)?, taken(siblings, selected)?),
            };
            let source = source.as_ref().map(|source| selection.of(source)).transpose()?;
            pieces.push(Piece { key, records: selection.of(&records)?, rows, source, siblings });
        }
        Ok(())
    }
}

fn taken(siblings: &[SiblingRows], rows: &UInt32Array) -> Result<Vec<SiblingRows>> {
    siblings.iter().map(|sibling| sibling.take(rows)).collect()
}
