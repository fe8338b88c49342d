//! What the converters with a Schema Registry share: each message has the id of its schema.
//!
//! ```text
//!  batch ─ sections: rows by schema ─► SchemaReader of each schema ─► a run of columns for each
//!             └ Frame                     └ RegistryClient, SchemaFormat::parse
//!  column ─► WriterSchemas: its schema, registered ─► RowWriter ─► id and data
//! ```
//!
//! A format (Avro, JSON Schema, Protobuf) says how its schemas and values are read and written: [`SchemaFormat`].

mod registry_converter;
mod schema_format;
mod sections;
mod writer_schemas;

pub(crate) use registry_converter::RegistryConverter;
pub(crate) use schema_format::{Import, Parsed, Part, RowWriter, SchemaFormat, SectionReader, kept_rows};
