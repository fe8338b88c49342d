//! What every converter has to do.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array, StringArray,
    StructArray,
};
use arrow::datatypes::{DataType, Field};
use volley_api::testing::{column, config_map, rejects_only_bad_messages, round_trips, texts};
use volley_api::{Column, ConfigMap, Converter, Result, Side};

use crate::{
    AvroConverter, BooleanConverter, ByteArrayConverter, DoubleConverter, FloatConverter, IntegerConverter,
    JsonConverter, LongConverter, ProtobufConverter, ShortConverter, StringConverter,
};

fn with_defaults<T: Converter>(new: fn(&ConfigMap, Side) -> Result<T>) -> impl Fn(Side) -> Result<T> {
    move |side| new(&ConfigMap::new(), side)
}

/// Orders, some of them null.
fn orders() -> Column {
    let fields: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("id", DataType::Int64, false)), Arc::new(Int64Array::from(vec![1, 2, 3, 4]))),
        (
            Arc::new(Field::new("name", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("a"), None, Some("\"\u{e9}"), Some("")])),
        ),
        (
            Arc::new(Field::new("price", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![Some(1.5), Some(-0.25), None, Some(1e300)])),
        ),
    ];
    let (fields, arrays): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    let nulls = Some(vec![true, true, false, true].into());
    column(StructArray::try_new(fields.into(), arrays, nulls).unwrap())
}

#[test]
fn numbers_come_back_as_they_were_and_wrong_lengths_are_rejected_alone() {
    round_trips(with_defaults(ShortConverter::new), &[column(Int16Array::from(vec![Some(-7), None]))], true);
    round_trips(with_defaults(IntegerConverter::new), &[column(Int32Array::from(vec![Some(7), None, Some(0)]))], true);
    round_trips(with_defaults(LongConverter::new), &[column(Int64Array::from(vec![Some(i64::MIN), None]))], true);
    round_trips(with_defaults(FloatConverter::new), &[column(Float32Array::from(vec![Some(0.1), None]))], true);
    round_trips(with_defaults(DoubleConverter::new), &[column(Float64Array::from(vec![Some(1e300), None]))], true);
    round_trips(with_defaults(BooleanConverter::new), &[column(BooleanArray::from(vec![Some(true), None]))], true);
    rejects_only_bad_messages(with_defaults(ShortConverter::new), &[&[0, 1], &[2, 3]], &[b"", b"abc"]);
    rejects_only_bad_messages(with_defaults(BooleanConverter::new), &[&[1], &[0]], &[&[2], b"true"]);
}

#[test]
fn texts_and_bytes_come_back_as_they_were() {
    let words = texts([Some("a"), None, Some("\u{20ac}"), Some("")]);
    round_trips(with_defaults(StringConverter::new), &[words], true);
    let bytes = column(BinaryArray::from(vec![Some(&b"\xff"[..]), None, Some(b"")]));
    round_trips(with_defaults(ByteArrayConverter::new), &[bytes], true);
}

#[test]
fn json_comes_back_as_it_was_with_and_without_schemas() {
    let numbers = column(Int64Array::from(vec![Some(5), None, Some(-5)]));
    let words = texts([Some("a"), None, Some("5")]);
    let columns = [orders(), numbers, words];
    round_trips(with_defaults(JsonConverter::new), &columns, true);
    let plain = config_map(&[("schemas.enable", "false")]);
    for column in columns {
        round_trips(|side| JsonConverter::new(&plain, side), &[column], false);
    }
    rejects_only_bad_messages(|side| JsonConverter::new(&plain, side), &[b"{\"a\":1}", b"{\"a\":2}"], &[b"{", b"\xff"]);
    let number = br#"{"schema":{"type":"int8"},"payload":5}"#;
    let text = br#"{"schema":{"type":"string"},"payload":"x"}"#;
    let bad: [&[u8]; 3] = [b"{}", br#"{"schema":{"type":"int8"},"payload":"x"}"#, br#"{"schema":null}"#];
    rejects_only_bad_messages(with_defaults(JsonConverter::new), &[number, text, number, number, text], &bad);
}

#[test]
fn avro_comes_back_as_it_was_and_bad_messages_are_rejected_alone() {
    let config = config_map(&[("schema.registry.url", "mock://conformance")]);
    let new = |side| AvroConverter::new(&config, side);
    let numbers = column(Int64Array::from(vec![Some(5), None, Some(-5)]));
    round_trips(new, &[orders(), numbers, texts([Some("a"), None, Some("5")])], true);
    // the schemas that were registered above, in the mock's order
    let good: [&[u8]; 2] = [b"\0\0\0\0\x02\x02\x0a", b"\0\0\0\0\x02\0"];
    rejects_only_bad_messages(new, &good, &[b"", b"\0\0\0", b"\x07\0\0\0\x02\0", b"\0\0\0\0\x02", b"\0\x7f\0\0\0\0"]);
}

#[test]
fn protobuf_comes_back_as_it_was_and_bad_messages_are_rejected_alone() {
    let keys = [("schema.registry.url", "mock://conformance-protobuf"), ("optional.for.nullables", "true")];
    let config = config_map(&keys);
    let new = |side| ProtobufConverter::new(&config, side);
    let numbers = column(Int64Array::from(vec![Some(5), None, Some(-5)]));
    round_trips(new, &[numbers, texts([Some("a"), None, Some("5")])], true);
    // fields that are read have numbers
    round_trips(new, &[orders()], false);
    // the first schema that was registered above: Int64Value
    let good: [&[u8]; 2] = [b"\0\0\0\0\x01\x02\x04\x08\x0a", b"\0\0\0\0\x01\x02\x04"];
    let bad: [&[u8]; 5] = [b"", b"\0\0\0", b"\x07\0\0\0\x01\0", b"\0\0\0\0\x01\x02\x04\x08", b"\0\x7f\0\0\0\0\0"];
    rejects_only_bad_messages(new, &good, &bad);
}
