//! Committed offsets that the source task has not been told of yet.

use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use volley_api::{SourceOffset, SourcePartition};

use crate::task::source::produce::acknowledgements::{SourceOffsets, key_of};

/// Filled by the produce stage, emptied by the task's own thread. Holds the newest offset of each partition.
#[derive(Debug, Default)]
pub(crate) struct CommittedOffsets(Mutex<Option<Untold>>);

/// By the key of their partition.
type Untold = IndexMap<Arc<str>, (SourcePartition, SourceOffset)>;

impl CommittedOffsets {
    /// These were committed; possibly none, where the task is to be told of the commit all the same.
    pub(crate) fn add(&self, offsets: SourceOffsets) {
        let mut untold = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        untold
            .get_or_insert_default()
            .extend(offsets.into_iter().map(|(partition, offset)| (key_of(&partition), (partition, offset))));
    }

    /// What was committed since this was last asked; `None` if there was no commit to tell of.
    pub(crate) fn take(&self) -> Option<SourceOffsets> {
        let untold = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        untold.map(|untold| untold.into_values().collect())
    }
}
