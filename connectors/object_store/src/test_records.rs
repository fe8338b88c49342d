//! Batches, configurations and readers for the tests of this sink.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::Field;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use volley_api::testing::{self, config_map, sink_batch_of};
use volley_api::{Column, ConfigMap, OffsetRange, Origin, Records, RowIndex, SinkBatch, TimestampType, TopicPartition};

use super::config::SinkConfig;
use crate::format::{FileIdentity, Format, Rows};

/// A configuration with these keys; `store.url` need not be among them.
pub(crate) fn store_config(entries: &[(&str, &str)]) -> ConfigMap {
    config_map(&[&[("store.url", "file:///unused")], entries].concat())
}

/// The same, parsed.
pub(crate) fn sink_config(entries: &[(&str, &str)]) -> SinkConfig {
    SinkConfig::parse(&store_config(entries)).unwrap()
}

/// Where rows at these offsets stand, which end before `end`; the timestamp of each is its offset times ten.
pub(crate) fn origin(partition: &TopicPartition, first: i64, offsets: Vec<i64>, end: i64) -> Arc<Origin> {
    let timestamps = offsets.iter().map(|offset| offset * 10).collect();
    let range = OffsetRange { first, end };
    Arc::new(Origin {
        partition: partition.clone(),
        range,
        offsets: ScalarBuffer::from(offsets),
        timestamps,
        timestamp_type: TimestampType::CreateTime,
    })
}

/// Records of the input rows `rows`.
pub(crate) fn records(origin: &Arc<Origin>, topic: &str, rows: Vec<u32>, value: ArrayRef) -> Records {
    let timestamps = rows.iter().map(|row| origin.timestamps[*row as usize]).collect();
    let value = Column::new(Arc::new(Field::new("value", value.data_type().clone(), true)), value);
    Records {
        kafka_partition: Some(origin.partition.partition),
        timestamps,
        rows: RowIndex::Selected(UInt32Array::from(rows)),
        origin: Some(Arc::clone(origin)),
        ..testing::records(topic, value)
    }
}

/// A batch of `value`s at the offsets from `first` on, all going to the topic they came from.
pub(crate) fn batch(partition: &TopicPartition, first: i64, value: ArrayRef) -> SinkBatch {
    let rows = value.len();
    let end = first + rows as i64;
    let origin = origin(partition, first, (first..end).collect(), end);
    let mut records = records(&origin, &partition.topic, (0..rows as u32).collect(), value);
    records.rows = RowIndex::all(rows);
    sink_batch_of(origin, vec![records])
}

/// A file with this identity.
pub(crate) fn file_contents(identity: &FileIdentity) -> Bytes {
    let rows = RecordBatch::try_from_iter([("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    let rows = Rows::Columns(rows);
    let mut writer = Format::new(sink_config(&[]).format).file_writer(&Arc::from("t"), &rows).unwrap();
    writer.write(rows, usize::MAX).unwrap();
    writer.finish(identity).unwrap()
}

/// All rows of a Parquet file, in one batch.
pub(crate) fn read_rows(contents: Bytes) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(contents).unwrap();
    let schema = Arc::clone(builder.schema());
    let batches: Vec<_> = builder.build().unwrap().map(|batch| batch.unwrap()).collect();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

/// Reads a file of Snappy in Java's frames; each block but the last has 32 KiB.
pub(crate) fn unframed_snappy(file: &[u8]) -> Vec<u8> {
    let mut rest = file.strip_prefix(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01").unwrap();
    let mut blocks = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (block, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
        blocks.push(snap::raw::Decoder::new().decompress_vec(block).unwrap());
        rest = behind;
    }
    assert!(rest.is_empty() && blocks.iter().rev().skip(1).all(|block| block.len() == 32 * 1024));
    blocks.concat()
}
