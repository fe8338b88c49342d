//! Where configurations, states and source offsets are kept.

mod file_offset_backing_store;
mod java_hash_map;
mod memory_offset_backing_store;
mod offset_backing_store;
#[cfg(test)]
mod offset_conformance;
mod offset_key;

pub use file_offset_backing_store::FileOffsetBackingStore;
pub use memory_offset_backing_store::MemoryOffsetBackingStore;
pub use offset_backing_store::{OffsetBackingStore, OffsetEntry};
