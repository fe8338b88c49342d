//! Protobuf to columns and back.
//!
//! ```text
//!  .proto file ─ parse ─► message descriptor ─ to_connect_schema ─► Connect schema + ValuePlan ─► Node (builders)
//!  message ─ read ───────────────────────────────────────────────────────────────────────────────► columns
//!
//!  field ─ schema_of ─► Connect schema ─ from_connect_schema ─► .proto file ─ parse ─► message descriptor ─► FieldWriter
//!  columns ─ write ─────────────────────────────────────────────────────────────────────────────────────────► messages
//! ```
//!
//! Connect's side of a schema is its JSON form, the same as in the envelopes of JsonConverter, so that all converters make the
//! same columns of the same Connect schema. How Connect's types, names and parameters stand in Protobuf is what public
//! documentation says, and what a round trip proves.

mod keys;
mod mapping;
mod names;
mod protobuf_converter;
mod reader;
mod schema;
mod values;

#[cfg(test)]
mod converter_tests;
#[cfg(test)]
pub(crate) mod round_trip_tests;
#[cfg(test)]
mod writing_tests;

pub(crate) use keys::protobuf_converter_def;
pub use protobuf_converter::ProtobufConverter;
