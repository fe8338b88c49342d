//! JSON with schemas in a registry.
//!
//! ```text
//!  JSON Schema ─ to_connect_schema ─► Connect schema ─► builders, which JSON is read into as by JsonConverter
//!  field ─ schema_of ─► Connect schema ─ from_connect_schema ─► JSON Schema
//! ```

mod from_connect_schema;
mod json_schema_converter;
#[cfg(test)]
mod json_schema_tests;
mod keys;
mod names;
mod reshape;
mod to_connect_schema;

pub use json_schema_converter::JsonSchemaConverter;
pub(crate) use keys::json_schema_converter_def;
