//! Payments in the batches that the stages of a sink task hand on.

use std::sync::Arc;

use arrow::array::{Array, BinaryArray, RecordBatch, StructArray};
pub(crate) use volley_api::testing::config_map;
use volley_api::testing::{origin, records, sink_batch};
use volley_api::{Converter, Origin, RawBatch, Records, Side, SinkBatch, TopicPartition};
use volley_converters::JsonConverter;

use crate::payment::{self, JsonSize};

pub(crate) const TOPIC: &str = "payments";

/// The partition that all batches come from.
pub(crate) fn partition() -> TopicPartition {
    TopicPartition::new(TOPIC, 0)
}

/// A converter of plain JSON.
pub(crate) fn json_converter() -> JsonConverter {
    JsonConverter::new(&config_map(&[("schemas.enable", "false")]), Side::Value).expect("the configuration is right")
}

/// `rows` payments as consumed, from offset `first` on; payment `n` stands at offset `n`.
pub(crate) fn consumed(first: u64, rows: usize) -> RawBatch {
    let (first_offset, end) = (first as i64, first as i64 + rows as i64);
    let mut json = Vec::new();
    let values: BinaryArray = (first..first + rows as u64)
        .map(|number| {
            json.clear();
            payment::write_json(number, JsonSize::Small, &mut json);
            Some(json.clone())
        })
        .collect();
    let timestamps = (first_offset..end).map(|offset| 1_700_000_000_000 + offset).collect();
    let origin = Origin { timestamps, ..Origin::clone(&origin(TOPIC, 0, first_offset, rows)) };
    RawBatch { origin: Arc::new(origin), keys: BinaryArray::new_null(rows), values, headers: None }
}

/// The same batch after conversion.
pub(crate) fn converted(first: u64, rows: usize) -> Records {
    let batch = consumed(first, rows);
    let mut converted = json_converter().to_connect(&batch, Side::Value).expect("payments are JSON");
    assert!(converted.rejected.is_empty() && converted.runs.len() == 1, "payments have one schema");
    let run = converted.runs.remove(0);
    Records {
        kafka_partition: Some(0),
        timestamps: batch.origin.timestamps.clone(),
        origin: Some(Arc::clone(&batch.origin)),
        ..records(TOPIC, run.column)
    }
}

/// `batches` batches of `rows` payments each, one after the other, as a sink gets them.
pub(crate) fn ready_to_put(batches: usize, rows: usize) -> Vec<SinkBatch> {
    let ready = |number| sink_batch(vec![converted((number * rows) as u64, rows)]);
    (0..batches).map(ready).collect()
}

/// The values of a sink's batches, for writers that take record batches.
pub(crate) fn record_batches(batches: &[SinkBatch]) -> Vec<RecordBatch> {
    let values = batches.iter().flat_map(|batch| &batch.records).map(|records| &records.value.array);
    let structs = values.map(|value| value.as_any().downcast_ref::<StructArray>().expect("payments are structs"));
    structs.map(RecordBatch::from).collect()
}
