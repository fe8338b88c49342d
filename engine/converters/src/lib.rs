//! Bytes ↔ Arrow: Kafka Connect's converters and header converters, under their Java class names.
//!
//! ```text
//!  bytes of a batch ─ Converter::to_connect ─► runs of columns + rejected rows
//!  column           ─ Converter::from_connect ─► bytes + rejected rows
//! ```
//!
//! The JSON converter is the hot path of most pipelines; its documentation is at [`json`](JsonConverter).

mod avro;
mod byte_array;
mod cell;
#[cfg(test)]
mod conformance_tests;
mod connect_schema;
mod debezium;
mod decimal;
mod ext_json_converter;
mod header;
mod identifiers;
mod json;
mod json_schema;
mod keys;
mod plugins;
mod primitives;
mod protobuf;
mod registry;
mod rejections;
mod runs;
mod string_converter;
mod value_display;

pub use avro::{
    ApicurioAvroConverter, AvroBlock, AvroCodec, AvroContainerReader, AvroContainerWriter, AvroConverter, AvroRows,
    AvroValues, avro_file_def,
};
pub use byte_array::ByteArrayConverter;
pub use debezium::BinaryDataConverter;
pub use ext_json_converter::ExtJsonConverter;
pub use header::{
    BooleanHeaderConverter, ByteArrayHeaderConverter, NumberHeaderConverter, SimpleHeaderConverter,
    StringHeaderConverter,
};
pub use json::{JsonConverter, JsonHeaderConverter, MixedRows, same_type};
pub use json_schema::JsonSchemaConverter;
pub use plugins::plugins;
pub use primitives::{
    BooleanConverter, DoubleConverter, FloatConverter, IntegerConverter, LongConverter, ShortConverter,
};
pub use protobuf::ProtobufConverter;
pub use string_converter::StringConverter;
