//! Any bytes through the JSON converter, with and without schemas: nothing panics, every row is either in a run or
//! rejected, and what was decoded can be encoded and decoded again.
//!
//! `cargo +nightly fuzz run json_converter` in `engine/converters`. The input is cut into messages at zero bytes.
#![no_main]

use std::sync::Arc;

use arrow::array::{Array, BinaryArray};
use libfuzzer_sys::fuzz_target;
use volley_api::{ConfigMap, Converter, OffsetRange, Origin, RawBatch, Side, TimestampType, TopicPartition, Unserialized};
use volley_converters::JsonConverter;

fn batch_of(values: BinaryArray) -> RawBatch {
    let rows = values.len() as i64;
    let origin = Origin {
        partition: TopicPartition::new("topic", 0),
        range: OffsetRange { first: 0, end: rows },
        offsets: (0..rows).collect(),
        timestamp_type: TimestampType::CreateTime,
        timestamps: (0..rows).map(|_| -1).collect(),
    };
    RawBatch { origin: Arc::new(origin), keys: BinaryArray::new_null(values.len()), values, headers: None }
}

fuzz_target!(|data: &[u8]| {
    let batch = batch_of(data.split(|byte| *byte == 0).map(Some).collect());
    for schemas in ["true", "false"] {
        let config = ConfigMap::from_iter([("schemas.enable".to_owned(), schemas.to_owned())]);
        let mut converter = JsonConverter::new(&config, Side::Value).expect("the settings are valid");
        let converted = converter.to_connect(&batch, Side::Value).expect("rows cause no errors");
        let rows: usize = converted.runs.iter().map(|run| run.rows.len()).sum();
        assert_eq!(rows + converted.rejected.len(), batch.len());
        for run in converted.runs {
            assert_eq!(run.rows.len(), run.column.len());
            let serialized = converter.from_connect(&Unserialized::new("topic", &run.column)).expect("rows cause no errors");
            assert!(serialized.rejected.is_empty());
            let again = converter.to_connect(&batch_of(serialized.bytes), Side::Value).expect("rows cause no errors");
            assert!(again.rejected.is_empty());
        }
    }
});
