//! Where a bounded sink connector ends: the end offset that each partition had when it was first seen.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use volley_api::{Offsets, Result, TopicPartition};

/// End offsets, shared by all tasks of one start of a connector, so that a partition that moves between them keeps its end.
#[derive(Debug, Default)]
pub struct BoundedEnds(Mutex<BTreeMap<TopicPartition, i64>>);

impl BoundedEnds {
    /// The ends of `partitions`; those not known yet are asked from `end_offsets` and kept.
    pub(crate) fn of(
        &self,
        partitions: &[TopicPartition],
        end_offsets: impl FnOnce(&[TopicPartition]) -> Result<Offsets>,
    ) -> Result<Offsets> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown: Vec<_> = partitions.iter().filter(|partition| !ends.contains_key(*partition)).cloned().collect();
        if !unknown.is_empty() {
            ends.extend(end_offsets(&unknown)?);
        }
        Ok(partitions.iter().filter_map(|partition| Some((partition.clone(), *ends.get(partition)?))).collect())
    }
}
