//! Offsets in memory: as strict as the durable stores, but lost with the process.

use parking_lot::Mutex;
use volley_api::{Result, SourceOffset, SourcePartition};

use crate::storage::offset::offset_key::{
    OffsetBytes, check_primitive, list_offsets, offset_key, offset_value, parse_offset_value, stored_key,
};
use crate::storage::{OffsetBackingStore, OffsetEntry};

/// Keeps offsets in memory, as the bytes that a durable store would write.
#[derive(Debug, Default)]
pub struct MemoryOffsetBackingStore {
    bytes: Mutex<OffsetBytes>,
}

impl MemoryOffsetBackingStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn of(bytes: OffsetBytes) -> Self {
        Self { bytes: Mutex::new(bytes) }
    }

    /// Changes a copy, passes it to `commit`, and keeps it if that succeeds.
    pub(super) fn set_and(
        &self,
        connector: &str,
        offsets: &[OffsetEntry],
        commit: impl FnOnce(&OffsetBytes) -> Result<()>,
    ) -> Result<()> {
        let mut bytes = self.bytes.lock();
        let mut changed = bytes.clone();
        for (partition, offset) in offsets {
            check_primitive(partition)?;
            let stored = stored_key(&changed, connector, partition)?;
            match offset {
                Some(offset) => {
                    check_primitive(offset)?;
                    let key = stored.map_or_else(|| offset_key(connector, partition), Ok)?;
                    changed.insert(key, offset_value(offset)?);
                }
                None => {
                    stored.and_then(|key| changed.remove(&key));
                }
            }
        }
        commit(&changed)?;
        *bytes = changed;
        Ok(())
    }
}

impl OffsetBackingStore for MemoryOffsetBackingStore {
    fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
        let bytes = self.bytes.lock();
        let key = stored_key(&bytes, connector, partition)?;
        key.and_then(|key| bytes.get(&key)).map(|value| parse_offset_value(value)).transpose()
    }

    fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()> {
        self.set_and(connector, offsets, |_| Ok(()))
    }

    fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>> {
        let bytes = self.bytes.lock();
        list_offsets(&bytes, connector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::offset::offset_conformance::assert_offset_store_conforms;

    #[test]
    fn conforms() {
        assert_offset_store_conforms(&MemoryOffsetBackingStore::new());
    }
}
