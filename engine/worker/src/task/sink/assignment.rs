//! The partitions that were assigned to a sink task since the fetch stage last asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use volley_api::{Offsets, TopicPartition};

use crate::task::sink::read_positions::ReadPositions;

/// The rebalance listener writes it, the fetch stage reads it.
#[derive(Debug, Default)]
pub(crate) struct Assignment(Mutex<Started>);

#[derive(Debug, Default)]
struct Started {
    is_joined: bool,
    /// Position and generation.
    partitions: HashMap<TopicPartition, (i64, u64)>,
}

impl Assignment {
    pub(crate) fn started(&self, positions: &Offsets, generation: u64) {
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        started.is_joined = true;
        let partitions = positions.iter().map(|(partition, position)| (partition.clone(), (*position, generation)));
        started.partitions.extend(partitions);
    }

    pub(crate) fn is_joined(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_joined
    }

    /// Passes on what was assigned since the last call. Returns whether that is anything.
    pub(crate) fn take_started(&self, read: &mut ReadPositions) -> bool {
        let mut started = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_started = !started.partitions.is_empty();
        for (partition, (position, generation)) in started.partitions.drain() {
            read.start(partition, position, generation);
        }
        has_started
    }
}
