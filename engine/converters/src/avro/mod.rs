//! Avro to columns and back.
//!
//! ```text
//!  Avro schema ─ parse ─► AvroSchema ─ to_connect_schema ─► Connect schema + ReadPlan ─► Node (builders)
//!  message ─ read ─────────────────────────────────────────────────────────────────────────► columns
//!
//!  field ─ schema_of ─► Connect schema ─ from_connect_schema ─► AvroSchema ─► Writer
//!  columns ─ write ──────────────────────────────────────────────────────────► messages
//!  columns ─ AvroRows ─► values ─ container ─► files, and back
//! ```
//!
//! Connect's side of a schema is its JSON form, the same as in the envelopes of JsonConverter, so that both converters make
//! the same columns of the same Connect schema. How Connect's types, names and parameters stand in Avro is what Confluent's
//! public documentation says and what an implementation under the Apache licence does: see `reference_tests.rs`.

mod apicurio_converter;
#[cfg(test)]
mod apicurio_tests;
mod avro_converter;
mod avro_rows;
#[cfg(test)]
mod avro_rows_tests;
mod container;
#[cfg(test)]
mod converter_tests;
mod keys;
mod mapping;
mod reader;
#[cfg(test)]
mod reference_tests;
mod schema;
mod values;

pub use apicurio_converter::ApicurioAvroConverter;
pub(crate) use apicurio_converter::apicurio_avro_converter_def;
pub use avro_converter::AvroConverter;
pub use avro_rows::{AvroRows, AvroValues};
pub use container::{AvroBlock, AvroCodec, AvroContainerReader, AvroContainerWriter};
pub(crate) use keys::avro_converter_def;
pub use keys::avro_file_def;
