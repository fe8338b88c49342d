//! JSON, with and without schemas.
//!
//! ```text
//!  schemas.enable=false   bytes ─► topic ─► schemaless ► a run for each kind of value: objects, texts, numbers …
//!  schemas.enable=true    bytes ─► envelope ─► connect ─► a run per schema, in order
//!                                     └─ "schema":null ─► topic
//!                                  decode: one pass from bytes into the builders of a `Node` tree
//!  from_connect           column ─► encode ─► bytes
//! ```

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

pub use common_type::same_type;
pub(crate) use config::json_converter_def;
pub use converter::JsonConverter;
pub use header::JsonHeaderConverter;
pub use unmix::MixedRows;
