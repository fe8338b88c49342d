//! Offsets of a consumer group: committing and asking for them, from any thread.

use volley_api::{Error, Offsets, Result, TopicPartition};

/// Commits and reads offsets on behalf of a [`Fetcher`](crate::Fetcher). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Committer {}

impl Committer {
    /// Commits and waits for the answer.
    ///
    /// # Errors
    /// `Retriable` while the group rebalances, when the partitions have gone to another member, or when the broker cannot
    /// be reached; `Config` when not authorized.
    pub fn commit(&self, _offsets: &Offsets) -> Result<()> {
        Err(Error::fatal("not built yet"))
    }

    /// The committed offsets; partitions without one are left out.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn committed(&self, _partitions: &[TopicPartition]) -> Result<Offsets> {
        Err(Error::fatal("not built yet"))
    }

    /// The first offset of each partition that the broker still has.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn beginning_offsets(&self, _partitions: &[TopicPartition]) -> Result<Offsets> {
        Err(Error::fatal("not built yet"))
    }

    /// The offset of the next message of each partition (with `isolation.level=read_committed`: the last stable offset).
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn end_offsets(&self, _partitions: &[TopicPartition]) -> Result<Offsets> {
        Err(Error::fatal("not built yet"))
    }

    /// Whether no message can be consumed between `from` and `end`: what is there, if anything, are transaction markers,
    /// aborted or compacted messages. For bounded reads, whose last offsets may never be delivered.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn is_drained(&self, _partition: &TopicPartition, _from: i64, _end: i64) -> Result<bool> {
        Err(Error::fatal("not built yet"))
    }
}
