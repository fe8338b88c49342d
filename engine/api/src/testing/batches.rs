//! Records and batches in a line.

use std::sync::Arc;

use arrow::array::BinaryArray;

use crate::{Column, OffsetRange, Origin, RawBatch, Records, RowIndex, SinkBatch, TimestampType, TopicPartition};

/// Records of `topic` with these values, as a source makes them: without keys, timestamps, headers and a partition.
pub fn records(topic: &str, value: Column) -> Records {
    let len = value.len();
    Records {
        topic: topic.into(),
        kafka_partition: None,
        key: Column::nulls(len),
        value,
        timestamps: vec![-1; len].into(),
        headers: None,
        rows: RowIndex::all(len),
        origin: None,
    }
}

/// Records with these values, as a sink consumes them: `topic` and `partition` from `first` on, an offset each.
pub fn consumed(topic: &str, partition: i32, first: i64, value: Column) -> Records {
    let origin = origin(topic, partition, first, value.len());
    Records { kafka_partition: Some(partition), origin: Some(origin), ..records(topic, value) }
}

/// `len` messages of a partition from offset `first` on, without gaps and timestamps.
pub fn origin(topic: &str, partition: i32, first: i64, len: usize) -> Arc<Origin> {
    let end = first + i64::try_from(len).unwrap_or(i64::MAX);
    Arc::new(Origin {
        partition: TopicPartition::new(topic, partition),
        range: OffsetRange { first, end },
        offsets: (first..end).collect(),
        timestamp_type: TimestampType::CreateTime,
        timestamps: vec![-1; len].into(),
    })
}

/// Messages of a partition from offset `first` on with these values, without keys and headers.
pub fn raw_batch<'a>(
    topic: &str,
    partition: i32,
    first: i64,
    values: impl IntoIterator<Item = impl Into<Option<&'a [u8]>>>,
) -> RawBatch {
    let values: BinaryArray = values.into_iter().map(Into::into).collect();
    let len = arrow::array::Array::len(&values);
    RawBatch { origin: origin(topic, partition, first, len), keys: BinaryArray::new_null(len), values, headers: None }
}

/// The batch of consumed records that share an origin; the bytes of its messages are null.
///
/// # Panics
/// If there are no records, or if they were not consumed.
pub fn sink_batch(records: Vec<Records>) -> SinkBatch {
    let origin = records.first().and_then(|records| records.origin.clone()).expect("records with an origin");
    sink_batch_of(origin, records)
}

/// What is left of consumed messages; their bytes are null.
pub fn sink_batch_of(origin: Arc<Origin>, records: Vec<Records>) -> SinkBatch {
    let nulls = BinaryArray::new_null(origin.offsets.len());
    let raw = RawBatch { origin, keys: nulls.clone(), values: nulls, headers: None };
    SinkBatch { raw: Arc::new(raw), records }
}
