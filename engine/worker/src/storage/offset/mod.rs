//! Offsets of source connectors: in a file or in memory (standalone), in a topic (distributed), and for connectors that
//! request it in a topic of their own in front of the worker's.

mod connector_offset_backing_store;
mod connector_offset_stores;
mod file_offset_backing_store;
mod kafka_offset_backing_store;
mod memory_offset_backing_store;
mod offset_backing_store;
#[cfg(test)]
mod offset_conformance;
mod offset_key;
mod stored_offset_reader;

pub use connector_offset_backing_store::ConnectorOffsetBackingStore;
pub use connector_offset_stores::ConnectorOffsetStores;
pub use file_offset_backing_store::FileOffsetBackingStore;
pub use kafka_offset_backing_store::KafkaOffsetBackingStore;
pub use memory_offset_backing_store::MemoryOffsetBackingStore;
pub(crate) use offset_backing_store::offset_entry;
pub use offset_backing_store::{OffsetBackingStore, OffsetEntry, OffsetRecords};
pub(crate) use stored_offset_reader::{LazyOffsetReader, StoredOffsetReader};
