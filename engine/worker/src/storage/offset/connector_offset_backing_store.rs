//! The offsets of a connector with an offset topic of its own.

use std::fmt;
use std::sync::Arc;

use volley_api::{Result, SourceOffset, SourcePartition};

use crate::storage::{OffsetBackingStore, OffsetEntry, OffsetRecords};

/// Keeps offsets in the connector's own store (the primary), and a copy in the worker's store (the secondary). Reads
/// fall back to the secondary, so that a connector that gets a topic of its own resumes where it was.
///
/// Offsets are deleted in the secondary first. In the other order a failure in between would bring the old offset back.
pub struct ConnectorOffsetBackingStore {
    primary: Arc<dyn OffsetBackingStore>,
    secondary: Arc<dyn OffsetBackingStore>,
}

impl fmt::Debug for ConnectorOffsetBackingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorOffsetBackingStore").finish_non_exhaustive()
    }
}

impl ConnectorOffsetBackingStore {
    /// Combines the two stores.
    pub fn new(primary: Arc<dyn OffsetBackingStore>, secondary: Arc<dyn OffsetBackingStore>) -> Self {
        Self { primary, secondary }
    }

    /// Deletes in the secondary what is to be deleted.
    fn forget(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()> {
        let forgotten: Vec<_> = offsets.iter().filter(|(_, offset)| offset.is_none()).cloned().collect();
        if forgotten.is_empty() { Ok(()) } else { self.secondary.set(connector, &forgotten) }
    }

    /// Copies to the secondary what the primary has.
    fn copy(&self, connector: &str, offsets: &[OffsetEntry]) {
        let kept: Vec<_> = offsets.iter().filter(|(_, offset)| offset.is_some()).cloned().collect();
        if !kept.is_empty() {
            self.secondary.set_later(connector, &kept);
        }
    }
}

impl OffsetBackingStore for ConnectorOffsetBackingStore {
    fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
        match self.primary.get(connector, partition)? {
            Some(offset) => Ok(Some(offset)),
            None => self.secondary.get(connector, partition),
        }
    }

    fn get_many(&self, connector: &str, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        let mut offsets = self.primary.get_many(connector, partitions)?;
        let is_missing = |(place, offset): (usize, &Option<SourceOffset>)| offset.is_none().then_some(place);
        let missing: Vec<usize> = offsets.iter().enumerate().filter_map(is_missing).collect();
        if !missing.is_empty() {
            let partitions: Vec<_> = missing.iter().map(|place| partitions[*place].clone()).collect();
            for (place, offset) in missing.into_iter().zip(self.secondary.get_many(connector, &partitions)?) {
                offsets[place] = offset;
            }
        }
        Ok(offsets)
    }

    fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()> {
        self.forget(connector, offsets)?;
        self.primary.set(connector, offsets)?;
        self.copy(connector, offsets);
        Ok(())
    }

    fn topic(&self) -> Option<&str> {
        self.primary.topic()
    }

    fn records(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<OffsetRecords> {
        self.forget(connector, offsets)?;
        self.primary.records(connector, offsets)
    }

    fn records_are_committed(&self, connector: &str, offsets: &[OffsetEntry]) {
        self.copy(connector, offsets);
    }

    fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>> {
        let mut offsets = self.primary.list(connector)?;
        for (partition, offset) in self.secondary.list(connector)? {
            if !offsets.iter().any(|(known, _)| *known == partition) {
                offsets.push((partition, offset));
            }
        }
        Ok(offsets)
    }

    /// Stops only the primary: the worker's store is still in use.
    fn stop(&self) {
        self.primary.stop();
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use proptest::prelude::*;
    use serde_json::json;
    use volley_api::Error;

    use super::*;
    use crate::storage::MemoryOffsetBackingStore;
    use crate::storage::offset::offset_conformance::assert_offset_store_conforms;

    fn object(value: serde_json::Value) -> SourcePartition {
        value.as_object().unwrap().clone()
    }

    fn entry(partition: u8, offset: Option<u8>) -> OffsetEntry {
        (object(json!({ "p": partition })), offset.map(|offset| object(json!({ "o": offset }))))
    }

    /// A store that fails on request.
    #[derive(Default)]
    struct Moody {
        offsets: MemoryOffsetBackingStore,
        refuses: Mutex<bool>,
    }

    impl OffsetBackingStore for Moody {
        fn get(&self, connector: &str, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
            self.offsets.get(connector, partition)
        }

        fn set(&self, connector: &str, offsets: &[OffsetEntry]) -> Result<()> {
            match *self.refuses.lock() {
                true => Err(Error::retriable("no")),
                false => self.offsets.set(connector, offsets),
            }
        }

        fn list(&self, connector: &str) -> Result<Vec<(SourcePartition, SourceOffset)>> {
            self.offsets.list(connector)
        }
    }

    #[test]
    fn conforms() {
        let [primary, secondary] = [(); 2].map(|()| Arc::new(MemoryOffsetBackingStore::new()));
        assert_offset_store_conforms(&ConnectorOffsetBackingStore::new(primary, secondary));
    }

    #[test]
    fn a_connector_goes_on_from_the_offsets_that_the_worker_has_of_it() {
        let [primary, secondary] = [(); 2].map(|()| Arc::new(MemoryOffsetBackingStore::new()));
        secondary.set("c", &[entry(1, Some(10)), entry(2, Some(20))]).unwrap();
        let store = ConnectorOffsetBackingStore::new(Arc::clone(&primary) as _, Arc::clone(&secondary) as _);
        store.set("c", &[entry(1, Some(11))]).unwrap();
        let (first, second) = (entry(1, Some(11)), entry(2, Some(20)));
        assert_eq!(store.get("c", &first.0).unwrap(), first.1);
        assert_eq!(store.get("c", &second.0).unwrap(), second.1);
        assert_eq!(store.list("c").unwrap().len(), 2);
        assert_eq!(primary.list("c").unwrap().len(), 1);
        assert_eq!(secondary.get("c", &first.0).unwrap(), first.1, "a copy");
    }

    proptest! {
        /// Either store may fail: reads return the last stored or deleted offset; failed calls may count or not.
        #[test]
        fn forgotten_offsets_never_come_back(
            steps in prop::collection::vec((0u8..3, prop::option::of(0u8..9), any::<bool>(), any::<bool>()), 0..30)
        ) {
            let [primary, secondary] = [(); 2].map(|()| Arc::new(Moody::default()));
            let store = ConnectorOffsetBackingStore::new(Arc::clone(&primary) as _, Arc::clone(&secondary) as _);
            let mut possible: [Vec<Option<u8>>; 3] = [(); 3].map(|()| vec![None]);
            for (partition, offset, first_refuses, second_refuses) in steps {
                *primary.refuses.lock() = first_refuses;
                *secondary.refuses.lock() = second_refuses;
                let entry = entry(partition, offset);
                let possible = &mut possible[usize::from(partition)];
                match store.set("c", std::slice::from_ref(&entry)) {
                    Ok(()) => *possible = vec![offset],
                    Err(_) => possible.push(offset),
                }
                let stored = store.get("c", &entry.0).unwrap();
                prop_assert!(possible.iter().any(|offset| super::tests::entry(0, *offset).1 == stored));
            }
        }
    }
}
