//! The start offsets of newly assigned partitions.

use rdkafka::Offset;
use tracing::warn;
use volley_api::{Error, Offsets, Result, TopicPartition};

use super::partition_offsets::KnownOffsets;
use crate::Committer;

/// `auto.offset.reset`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetReset {
    Earliest,
    Latest,
    Never,
}

impl OffsetReset {
    /// Parses librdkafka's value of `auto.offset.reset`.
    pub(crate) fn parse(value: Option<&str>) -> Self {
        match value {
            Some("earliest" | "smallest" | "beginning") => Self::Earliest,
            Some("error") => Self::Never,
            _ => Self::Latest,
        }
    }
}

/// The known offsets of a partition.
#[derive(Clone, Copy, Debug)]
struct Known {
    committed: Option<i64>,
    first: i64,
    end: i64,
}

/// The settings that decide on start offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartPositions {
    pub(crate) reset: OffsetReset,
    /// Whether committed offsets count. False for a consumer without a group.
    pub(crate) in_group: bool,
    /// With `read_committed`, the end offset from the broker lies before open transactions, so a valid committed offset
    /// may be past it.
    pub(crate) read_committed: bool,
}

impl StartPositions {
    /// The committed offset of each partition if the log still has it, otherwise the offset of `auto.offset.reset`.
    /// Partitions without a leader are left out.
    ///
    /// # Errors
    /// `Retriable` when no broker answers; `Config` when a position is missing and `auto.offset.reset` is `none`.
    pub(crate) fn resolve(&self, committer: &Committer, partitions: &[TopicPartition]) -> Result<KnownOffsets> {
        let committed = if self.in_group { committer.committed(partitions)? } else { Offsets::new() };
        let first = committer.known_offsets(partitions, Offset::Beginning)?;
        let end = committer.known_offsets(&first.offsets.keys().cloned().collect::<Vec<_>>(), Offset::End)?;
        let mut positions = Offsets::new();
        for (partition, end) in end.offsets {
            let first = first.offsets.get(&partition).copied().unwrap_or(0);
            let known = Known { committed: committed.get(&partition).copied(), first, end };
            positions.insert(partition.clone(), self.position(&partition, known)?);
        }
        Ok(KnownOffsets { offsets: positions, trouble: first.trouble.or(end.trouble) })
    }

    fn position(&self, partition: &TopicPartition, known: Known) -> Result<i64> {
        if let Some(committed) = known.committed {
            if committed >= known.first && (self.read_committed || committed <= known.end) {
                return Ok(committed);
            }
            warn!(
                %partition,
                committed,
                first = known.first,
                end = known.end,
                "committed offset is not in the partition's log any more, `auto.offset.reset` decides"
            );
        }
        match self.reset {
            OffsetReset::Earliest => Ok(known.first),
            OffsetReset::Latest => Ok(known.end),
            OffsetReset::Never => {
                Err(Error::config(format!("Undefined offset with no reset policy for partitions: [{partition}]"))
                    .with_exception("org.apache.kafka.clients.consumer.NoOffsetForPartitionException")
                    .with_place(
                        "`auto.offset.reset` none: set an offset, or `auto.offset.reset` to earliest or latest",
                    ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(reset: OffsetReset, committed: Option<i64>) -> Result<i64> {
        let positions = StartPositions { reset, in_group: true, read_committed: false };
        positions.position(&TopicPartition::new("t", 0), Known { committed, first: 10, end: 20 })
    }

    #[test]
    fn a_committed_offset_in_the_log_wins() {
        assert_eq!(position(OffsetReset::Never, Some(10)).unwrap(), 10);
        assert_eq!(position(OffsetReset::Latest, Some(20)).unwrap(), 20);
    }

    #[test]
    fn without_one_the_reset_policy_decides() {
        assert_eq!(position(OffsetReset::Earliest, None).unwrap(), 10);
        assert_eq!(position(OffsetReset::Latest, None).unwrap(), 20);
        assert!(!position(OffsetReset::Never, None).unwrap_err().is_retriable());
        assert_eq!(position(OffsetReset::Earliest, Some(9)).unwrap(), 10);
        assert_eq!(position(OffsetReset::Earliest, Some(21)).unwrap(), 10);
    }
}
