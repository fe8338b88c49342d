//! The stored offsets of a source connector.

use std::sync::Arc;

use crate::{Result, SourceOffset, SourcePartition};

/// Reads stored offsets. Given to tasks and connectors by their contexts.
pub trait OffsetReader: Send + Sync {
    /// The stored offset of each of `partitions`, in their order; `None` where there is none.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn offsets(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>>;
}

/// A closure answers for each partition by itself.
impl<F> OffsetReader for F
where
    F: Fn(&SourcePartition) -> Result<Option<SourceOffset>> + Send + Sync,
{
    fn offsets(&self, partitions: &[SourcePartition]) -> Result<Vec<Option<SourceOffset>>> {
        partitions.iter().map(self).collect()
    }
}

/// A store without offsets.
pub(crate) fn no_offsets() -> Arc<dyn OffsetReader> {
    Arc::new(|_: &SourcePartition| Ok(None))
}

/// The stored offset of one partition.
pub(crate) fn offset_of(reader: &dyn OffsetReader, partition: &SourcePartition) -> Result<Option<SourceOffset>> {
    Ok(reader.offsets(std::slice::from_ref(partition))?.into_iter().next().flatten())
}
