//! Kafka's record batches, from the bytes of a fetch response straight into columns.
//!
//! ```text
//!  records of one partition ─► RecordCursor ─ batch by batch ─► check, decompress ─ record by record ─► BatchBuilder
//!                                  └─ Exhausted, Full, Misfit, CutOff; next offset, leader epoch
//! ```
//!
//! No I/O is done here. All bytes come from the network and are not trusted: whatever they are, they give records or a
//! [`RecordsError`], and never take more memory than they can fill.
//!
//! The formats are those of Kafka's documentation, "Message Format": record batches of version 2 (KIP-98), and the message
//! sets of version 0 and 1 (KIP-31, KIP-32) that topics of before 2017 hold.

mod aborted;
mod batch_builder;
mod batch_header;
mod compression;
mod cursor;
mod error;
mod framing;
mod message_walk;
mod open_batch;
mod reader;
mod record_walk;
mod rows;
#[cfg(test)]
mod tests;

pub(crate) use aborted::{AbortedTransaction, Isolation};
pub(crate) use batch_builder::{BatchBuilder, BatchSize, Incoming};
pub(crate) use compression::Decompressor;
pub(crate) use cursor::{BatchLimits, Fetched, ReadEnd, RecordCursor};
pub(crate) use error::RecordsError;
