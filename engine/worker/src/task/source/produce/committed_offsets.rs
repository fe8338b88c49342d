//! Committed offsets that the source task has not been told of yet.

use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use volley_api::{SourceOffset, SourcePartition};

use crate::task::source::produce::acknowledgements::{SourceOffsets, key_of};

/// Filled by the produce stage, emptied by the task's own thread. Holds the newest offset of each partition.
#[derive(Debug, Default)]
pub(crate) struct CommittedOffsets(Mutex<IndexMap<Arc<str>, (SourcePartition, SourceOffset)>>);

impl CommittedOffsets {
    pub(crate) fn add(&self, offsets: SourceOffsets) {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        untold.extend(offsets.into_iter().map(|(partition, offset)| (key_of(&partition), (partition, offset))));
    }

    pub(crate) fn take(&self) -> SourceOffsets {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *untold).into_values().collect()
    }
}
