//! In-order acknowledgement: the source offsets that may be committed.

use std::collections::VecDeque;

use indexmap::IndexMap;
use volley_api::{SourceOffset, SourcePartition};

/// Names a submitted batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchId(u64);

impl BatchId {
    /// The batch as an opaque number for the producer.
    pub(crate) fn token(self) -> u64 {
        self.0
    }

    /// The batch of [`BatchId::token`].
    pub(crate) fn from_token(token: u64) -> Self {
        Self(token)
    }
}

#[derive(Debug)]
struct Submitted {
    id: BatchId,
    offset: SourceOffset,
    outstanding: usize,
    is_complete: bool,
}

/// Per source partition, the batches submitted and how many of their messages are not acknowledged yet.
///
/// An offset is committable once its batch and every earlier batch of the same source partition are acknowledged; one slow
/// partition does not hold up others.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    next: u64,
    partitions: IndexMap<String, (SourcePartition, VecDeque<Submitted>)>,
    of_batch: std::collections::HashMap<u64, String>,
    committable: IndexMap<String, (SourcePartition, SourceOffset)>,
}

impl Acknowledgements {
    /// Opens a batch. Nothing of it counts as acknowledged before [`Acknowledgements::close`].
    pub(crate) fn open(&mut self, partition: SourcePartition, offset: SourceOffset) -> BatchId {
        let id = BatchId(self.next);
        self.next += 1;
        let key = serde_json::Value::Object(partition.clone()).to_string();
        self.of_batch.insert(id.0, key.clone());
        let queue = self.partitions.entry(key).or_insert_with(|| (partition, VecDeque::new()));
        queue.1.push_back(Submitted { id, offset, outstanding: 0, is_complete: false });
        id
    }

    /// One more message of the batch is on its way.
    pub(crate) fn sent(&mut self, id: BatchId) {
        self.update(id, |batch| batch.outstanding += 1);
    }

    /// All messages of the batch are sent.
    pub(crate) fn close(&mut self, id: BatchId) {
        self.update(id, |batch| batch.is_complete = true);
    }

    /// One message of the batch is acknowledged (or its failure tolerated).
    pub(crate) fn acknowledged(&mut self, id: BatchId) {
        self.update(id, |batch| batch.outstanding = batch.outstanding.saturating_sub(1));
    }

    fn update(&mut self, id: BatchId, change: impl FnOnce(&mut Submitted)) {
        let Some((key, (partition, queue))) =
            self.of_batch.get(&id.0).and_then(|key| self.partitions.get_mut(key).map(|queue| (key.clone(), queue)))
        else {
            return;
        };
        if let Some(batch) = queue.iter_mut().find(|batch| batch.id == id) {
            change(batch);
        }
        while let Some(batch) = queue.pop_front_if(|batch| batch.is_complete && batch.outstanding == 0) {
            self.of_batch.remove(&batch.id.0);
            self.committable.insert(key.clone(), (partition.clone(), batch.offset));
        }
        if queue.is_empty() {
            self.partitions.shift_remove(&key);
        }
    }

    /// Whether every submitted message is acknowledged.
    pub(crate) fn is_settled(&self) -> bool {
        self.partitions.is_empty()
    }

    /// The offsets that became committable since they were last taken.
    pub(crate) fn take_committable(&mut self) -> Vec<(SourcePartition, SourceOffset)> {
        std::mem::take(&mut self.committable).into_values().collect()
    }

    /// Gives offsets back that could not be committed, unless newer ones are there.
    pub(crate) fn restore(&mut self, offsets: Vec<(SourcePartition, SourceOffset)>) {
        for (partition, offset) in offsets {
            let key = serde_json::Value::Object(partition.clone()).to_string();
            self.committable.entry(key).or_insert((partition, offset));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object(name: &str, number: usize) -> serde_json::Map<String, serde_json::Value> {
        [(name.to_owned(), json!(number))].into_iter().collect()
    }

    proptest! {
        /// Law 1 for sources: an offset is committable only after all messages before it are acknowledged.
        #[test]
        fn a_source_offset_is_committable_only_after_everything_before_it(
            batches in prop::collection::vec((0..3_usize, 0..4_usize), 1..30),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
        ) {
            let mut acknowledgements = Acknowledgements::default();
            let mut outstanding = Vec::new();
            let mut ids = Vec::new();
            for (number, (partition, messages)) in batches.iter().enumerate() {
                let id = acknowledgements.open(object("p", *partition), object("o", number));
                for _ in 0..*messages {
                    acknowledgements.sent(id);
                    outstanding.push(number);
                }
                acknowledgements.close(id);
                ids.push(id);
            }
            for index in order {
                for (partition, offset) in acknowledgements.take_committable() {
                    let upto = offset["o"].as_u64().unwrap_or_default() as usize;
                    let earlier = outstanding.iter().any(|number| *number <= upto && object("p", batches[*number].0) == partition);
                    prop_assert!(!earlier);
                }
                if outstanding.is_empty() {
                    break;
                }
                let number = outstanding.swap_remove(index.index(outstanding.len()));
                acknowledgements.acknowledged(ids[number]);
            }
            for number in outstanding.drain(..) {
                acknowledgements.acknowledged(ids[number]);
            }
            prop_assert!(acknowledgements.is_settled());
        }
    }
}
