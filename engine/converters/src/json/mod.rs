//! JSON, with and without schemas.
//!
//! ```text
//!  schemas.enable=false   bytes ─► topic ─► schemaless ► a run for each kind of value: objects, texts, numbers …
//!  schemas.enable=true    bytes ─► envelope ─► connect ─► a run per schema, in order
//!                                     └─ "schema":null ─► topic
//!                                  decode: one pass from bytes into the builders of a `Node` tree
//!  from_connect           column ─► encode ─► bytes
//! ```

mod checked_text;
mod columns;
mod common_type;
mod config;
mod converter;
mod encode;
mod header;
mod inferred;
mod schemas;
mod syntax;
mod unmix;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod envelope_laws;
#[cfg(test)]
mod schemaless_laws;

pub(crate) use columns::{Bytes, Cells, Ends, Node, StructCells, TOO_LARGE, decode_message};
pub use common_type::same_type;
pub(crate) use config::json_converter_def;
pub use converter::JsonConverter;
pub(crate) use encode::write_float;
pub use header::JsonHeaderConverter;
pub(crate) use schemas::{Schema, SchemaReader, schema_of};
pub(crate) use syntax::{
    Cursor, Decoded, Failure, Number, pass_colon, read_number, read_string, read_text, skip_value, write_string,
};
pub use unmix::MixedRows;
