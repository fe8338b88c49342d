//! Avro's schemas: as text, and with their names resolved.

pub(crate) mod avro_schema;
pub(crate) mod names;
pub(crate) mod schema_parser;
pub(crate) mod schema_text;
