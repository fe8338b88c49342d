//! JSON with schemas: envelopes of a schema and a payload.
//!
//! ```text
//!  message ─ envelope: split ─► schema ─ connect_schema ─► builders, kept by the schema's bytes
//!                             └ payload ─ connect ─► a row of them
//!  field ─ schema_text ─► the schema of messages that are written
//! ```

mod connect;
mod connect_schema;
mod envelope;
mod schema_text;

pub(crate) use connect::{Schema, SchemaCache};
pub(crate) use connect_schema::SchemaReader;
pub(crate) use envelope::{Prefix, split};
pub(crate) use schema_text::schema_of;
