//! The laws of reading records, on bytes of other encoders: kafka-protocol's for version 2, a small one for 0 and 1.

mod batches;
mod codecs;
mod compacted;
mod hostile;
mod measurement;
mod message_sets;
mod messages;
mod reference;
mod transactions;

use arrow::array::{Array, BinaryArray};
use bytes::Bytes;
use volley_api::{RawBatch, TimestampType, TopicPartition};

use super::*;

const UNLIMITED: BatchLimits = BatchLimits { max_rows: usize::MAX, max_bytes: usize::MAX };

/// A record as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    offset: i64,
    timestamp: i64,
    timestamp_type: TimestampType,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

/// What was read, and how it ended.
#[derive(Debug)]
struct Reading {
    rows: Vec<Row>,
    /// Rows of each batch.
    batches: Vec<usize>,
    ended: Result<ReadEnd, RecordsError>,
    next_offset: i64,
    leader_epoch: Option<i32>,
}

fn fetched(records: impl Into<Bytes>) -> Fetched {
    Fetched { records: records.into(), from: 0, isolation: Isolation::ReadUncommitted, check_crcs: true }
}

fn read(fetched: Fetched) -> Reading {
    read_with(fetched, UNLIMITED, &mut Decompressor::default())
}

fn read_with(fetched: Fetched, limits: BatchLimits, decompressor: &mut Decompressor) -> Reading {
    let mut cursor = RecordCursor::new(fetched);
    let (mut rows, mut batches) = (Vec::new(), Vec::new());
    let ended = loop {
        let mut builder = BatchBuilder::new(BatchSize::default());
        let end = cursor.read_into(&mut builder, limits, decompressor);
        if let Some(batch) = builder.close(&TopicPartition::new("t", 0)) {
            batches.push(batch.len());
            rows.extend(rows_of(&batch));
        }
        if !matches!(end, Ok(ReadEnd::Full | ReadEnd::Misfit)) {
            break end;
        }
    };
    let again = cursor.read_into(&mut BatchBuilder::new(BatchSize::default()), limits, decompressor);
    assert_eq!(again, ended, "reading on gives the same end");
    Reading { rows, batches, ended, next_offset: cursor.next_offset(), leader_epoch: cursor.leader_epoch() }
}

fn rows_of(batch: &RawBatch) -> Vec<Row> {
    let bytes = |array: &BinaryArray, row| array.is_valid(row).then(|| array.value(row).to_vec());
    let headers = |row: usize| {
        let headers = batch.headers.as_ref().map(|headers| headers[row].as_slice()).unwrap_or_default();
        headers.iter().map(|header| (header.name.to_string(), header.value.clone())).collect()
    };
    (0..batch.len())
        .map(|row| Row {
            offset: batch.origin.offsets[row],
            timestamp: batch.origin.timestamps[row],
            timestamp_type: batch.origin.timestamp_type,
            key: bytes(&batch.keys, row),
            value: bytes(&batch.values, row),
            headers: headers(row),
        })
        .collect()
}

fn row(offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Row {
    Row {
        offset,
        timestamp: 1_700_000_000_000 + offset,
        timestamp_type: TimestampType::CreateTime,
        key: key.map(<[u8]>::to_vec),
        value: value.map(<[u8]>::to_vec),
        headers: Vec::new(),
    }
}

fn plain_rows(offsets: impl IntoIterator<Item = i64>) -> Vec<Row> {
    offsets.into_iter().map(|offset| row(offset, Some(b"k"), Some(format!("value {offset}").as_bytes()))).collect()
}

fn offsets(reading: &Reading) -> Vec<i64> {
    reading.rows.iter().map(|row| row.offset).collect()
}
