//! Avro's object container files. Avro specification 1.12, "Object container files".
//!
//! ```text
//!  column ─ AvroRows ─► schema, values ─ AvroContainerWriter ─► header, blocks of about 64 KB
//!  file ─ AvroContainerReader ─► header ─► a reader of its schema
//!                                blocks ─ decompress ─ boundaries ─► values ─► columns
//! ```

mod avro_codec;
mod avro_container_reader;
mod avro_container_writer;
#[cfg(test)]
mod container_tests;
mod header;

pub use avro_codec::AvroCodec;
pub use avro_container_reader::{AvroBlock, AvroContainerReader};
pub use avro_container_writer::AvroContainerWriter;
