//! The start offsets of newly assigned partitions.

use rdkafka::Offset;
use tracing::warn;
use volley_api::{Error, Offsets, Result, TopicPartition};

use super::log_place::{LogPlace, within_log};
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

/// Where partitions begin of which the group has committed nothing, instead of where `auto.offset.reset` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPlaces {
    /// The start offsets that are known.
    pub known: Offsets,
    /// Where others begin.
    pub others: LogPlace,
}

/// The known offsets of a partition.
#[derive(Clone, Copy, Debug)]
struct Known {
    committed: Option<i64>,
    /// Where it is to begin if nothing is committed.
    start: Option<i64>,
    first: i64,
    end: i64,
}

/// The settings that decide on start offsets.
#[derive(Clone, Debug)]
pub(crate) struct StartPositions {
    pub(crate) reset: OffsetReset,
    /// Comes before `reset`.
    pub(crate) starts: Option<StartPlaces>,
    /// Whether committed offsets count. False for a consumer without a group.
    pub(crate) in_group: bool,
    /// With `read_committed`, the end offset from the broker lies before open transactions, so a valid committed offset
    /// may be past it.
    pub(crate) read_committed: bool,
}

impl StartPositions {
    /// The committed offset of each partition if the log still has it, otherwise where it is to start, otherwise the offset
    /// of `auto.offset.reset`. Partitions without a leader are left out.
    ///
    /// # Errors
    /// `Retriable` when no broker answers; `Config` when a position is missing and `auto.offset.reset` is `none`.
    pub(crate) fn resolve(&self, committer: &Committer, partitions: &[TopicPartition]) -> Result<KnownOffsets> {
        let committed = if self.in_group { committer.committed(partitions)? } else { Offsets::new() };
        let first = committer.known_offsets(partitions, Offset::Beginning)?;
        let end = committer.known_offsets(&first.offsets.keys().cloned().collect::<Vec<_>>(), Offset::End)?;
        let is_new = |partition: &&TopicPartition| !committed.contains_key(*partition);
        let starts = self.starts(committer, end.offsets.keys().filter(is_new))?;
        let mut positions = Offsets::new();
        for (partition, end) in end.offsets {
            let first = first.offsets.get(&partition).copied().unwrap_or(0);
            let of = |offsets: &Offsets| offsets.get(&partition).copied();
            let known = Known { committed: of(&committed), start: of(&starts), first, end };
            positions.insert(partition.clone(), self.position(&partition, known)?);
        }
        Ok(KnownOffsets { offsets: positions, trouble: first.trouble.or(end.trouble) })
    }

    /// Where `auto.offset.reset` lets partitions begin anew, whatever is committed. Partitions without a leader are left out.
    ///
    /// # Errors
    /// As [`StartPositions::resolve`].
    pub(crate) fn reset(&self, committer: &Committer, partitions: &[TopicPartition]) -> Result<KnownOffsets> {
        let first = committer.known_offsets(partitions, Offset::Beginning)?;
        let end = committer.known_offsets(&first.offsets.keys().cloned().collect::<Vec<_>>(), Offset::End)?;
        let mut positions = Offsets::new();
        for (partition, end) in end.offsets {
            let first = first.offsets.get(&partition).copied().unwrap_or(0);
            let known = Known { committed: None, start: None, first, end };
            positions.insert(partition.clone(), self.position(&partition, known)?);
        }
        Ok(KnownOffsets { offsets: positions, trouble: first.trouble.or(end.trouble) })
    }

    /// Where new partitions are to start.
    fn starts<'a>(
        &self,
        committer: &Committer,
        partitions: impl Iterator<Item = &'a TopicPartition>,
    ) -> Result<Offsets> {
        let Some(starts) = &self.starts else { return Ok(Offsets::new()) };
        let (known, others): (Vec<_>, Vec<_>) =
            partitions.cloned().partition(|partition| starts.known.contains_key(partition));
        let mut found =
            if others.is_empty() { Offsets::new() } else { committer.place_offsets(&others, starts.others)? };
        found.extend(known.into_iter().map(|partition| (partition.clone(), starts.known[&partition])));
        Ok(found)
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
        if let Some(start) = known.start {
            return Ok(within_log(partition, start, known.first, known.end));
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
        position_from(None, reset, committed)
    }

    fn position_from(start: Option<i64>, reset: OffsetReset, committed: Option<i64>) -> Result<i64> {
        let positions = StartPositions { reset, starts: None, in_group: true, read_committed: false };
        positions.position(&TopicPartition::new("t", 0), Known { committed, start, first: 10, end: 20 })
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

    #[test]
    fn a_start_comes_before_the_reset_policy_and_after_what_is_committed() {
        assert_eq!(position_from(Some(15), OffsetReset::Never, None).unwrap(), 15);
        assert_eq!(position_from(Some(15), OffsetReset::Earliest, Some(12)).unwrap(), 12);
        // Removed by retention, or not written yet: never a seek to where the log has nothing.
        assert_eq!(position_from(Some(3), OffsetReset::Latest, None).unwrap(), 10);
        assert_eq!(position_from(Some(30), OffsetReset::Earliest, None).unwrap(), 20);
    }
}
