//! In-order acknowledgement: the source offsets that may be committed. Pure: counts only.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use indexmap::IndexMap;
use volley_api::{AcknowledgedBatch, AcknowledgedRow, SourceOffset, SourcePartition};

/// Offsets that are to be committed, or are committed: one for each source partition.
pub(crate) type SourceOffsets = Vec<(SourcePartition, SourceOffset)>;

/// Names a batch. A later batch has a larger one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct BatchId(u64);

#[derive(Debug)]
struct Submitted {
    id: BatchId,
    offset: SourceOffset,
    sent: usize,
    acknowledged: usize,
    is_closed: bool,
    counts_if_empty: bool,
}

#[derive(Debug)]
struct Queue {
    partition: SourcePartition,
    batches: VecDeque<Submitted>,
}

/// Per source partition, the batches submitted and how many of their messages are not acknowledged yet.
///
/// An offset is committable once its batch and every earlier batch of the same source partition are acknowledged; one slow
/// partition does not hold up others. A batch of which nothing was sent, since all of it was filtered or rejected, does not
/// move the offset by itself, as in Kafka Connect; the next batch with a message does.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    next: u64,
    outstanding: usize,
    queues: HashMap<Arc<str>, Queue>,
    queue_of: HashMap<BatchId, Arc<str>>,
    committable: IndexMap<Arc<str>, (SourcePartition, SourceOffset)>,
    /// Where records are, for a task that wants to know.
    rows: Option<AcknowledgedRows>,
}

/// Records that are acknowledged.
#[derive(Debug, Default)]
struct AcknowledgedRows {
    open: HashMap<BatchId, Vec<AcknowledgedRow>>,
    settled: Vec<AcknowledgedBatch>,
}

impl Acknowledgements {
    /// One that keeps where each record is until its batch is acknowledged.
    pub(crate) fn keeping_rows() -> Self {
        Self { rows: Some(AcknowledgedRows::default()), ..Self::default() }
    }

    /// Whether [`Acknowledgements::add_row`] is of use.
    pub(crate) fn keeps_rows(&self) -> bool {
        self.rows.is_some()
    }

    /// A record of the batch is in Kafka. MUST be called before it counts as acknowledged.
    pub(crate) fn add_row(&mut self, id: BatchId, row: AcknowledgedRow) {
        if let Some(rows) = &mut self.rows {
            rows.open.entry(id).or_default().push(row);
        }
    }

    /// The batches that were acknowledged since they were last taken, those of each source partition in order.
    pub(crate) fn take_settled(&mut self) -> Vec<AcknowledgedBatch> {
        self.rows.as_mut().map(|rows| std::mem::take(&mut rows.settled)).unwrap_or_default()
    }

    /// Opens a batch. It does not count as acknowledged before [`Acknowledgements::close`]. With `counts_if_empty` its
    /// offset counts even if nothing is sent.
    pub(crate) fn open(&mut self, partition: SourcePartition, offset: SourceOffset, counts_if_empty: bool) -> BatchId {
        let id = BatchId(self.next);
        self.next += 1;
        let key = key_of(&partition);
        self.queue_of.insert(id, Arc::clone(&key));
        let queue = self.queues.entry(key).or_insert_with(|| Queue { partition, batches: VecDeque::new() });
        queue.batches.push_back(Submitted { id, offset, sent: 0, acknowledged: 0, is_closed: false, counts_if_empty });
        id
    }

    /// `messages` more of the batch are on their way.
    pub(crate) fn sent(&mut self, id: BatchId, messages: usize) {
        if self.update(id, |batch| batch.sent += messages) {
            self.outstanding += messages;
        }
    }

    /// All messages of the batch are sent.
    pub(crate) fn close(&mut self, id: BatchId) {
        self.update(id, |batch| batch.is_closed = true);
    }

    /// `messages` more of the batch are acknowledged (or their failure is tolerated).
    pub(crate) fn acknowledged(&mut self, id: BatchId, messages: usize) {
        if self.update(id, |batch| batch.acknowledged += messages) {
            self.outstanding = self.outstanding.saturating_sub(messages);
        }
    }

    /// `false` if the batch is settled already.
    fn update(&mut self, id: BatchId, change: impl FnOnce(&mut Submitted)) -> bool {
        let Some(key) = self.queue_of.get(&id) else { return false };
        let Some(queue) = self.queues.get_mut(key) else { return false };
        let Ok(place) = queue.batches.binary_search_by_key(&id, |batch| batch.id) else { return false };
        change(&mut queue.batches[place]);
        if place == 0 {
            let key = Arc::clone(key);
            self.settle(&key);
        }
        true
    }

    /// Takes the batches from the front of a partition's queue that are acknowledged as a whole.
    fn settle(&mut self, key: &Arc<str>) {
        let Some(queue) = self.queues.get_mut(key) else { return };
        let is_settled = |batch: &mut Submitted| batch.is_closed && batch.acknowledged >= batch.sent;
        while let Some(batch) = queue.batches.pop_front_if(is_settled) {
            self.queue_of.remove(&batch.id);
            if let Some(rows) = &mut self.rows {
                let mut of_batch = rows.open.remove(&batch.id).unwrap_or_default();
                of_batch.sort_by_key(|row| row.row);
                let (partition, offset) = (queue.partition.clone(), batch.offset.clone());
                rows.settled.push(AcknowledgedBatch { partition, offset, rows: of_batch });
            }
            if batch.sent > 0 || batch.counts_if_empty {
                self.committable.insert(Arc::clone(key), (queue.partition.clone(), batch.offset));
            }
        }
        if queue.batches.is_empty() {
            self.queues.remove(key);
        }
    }

    /// Messages on their way.
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Whether every batch is sent and acknowledged.
    pub(crate) fn is_settled(&self) -> bool {
        self.queues.is_empty()
    }

    /// The offsets that became committable since they were last taken.
    pub(crate) fn take_committable(&mut self) -> SourceOffsets {
        std::mem::take(&mut self.committable).into_values().collect()
    }

    /// Gives offsets back that could not be committed; newer ones of the same partitions stay.
    pub(crate) fn restore(&mut self, offsets: SourceOffsets) {
        for (partition, offset) in offsets {
            self.committable.entry(key_of(&partition)).or_insert((partition, offset));
        }
    }
}

/// Partitions are the same if their JSON is, byte by byte, as in Kafka Connect.
pub(crate) fn key_of(partition: &SourcePartition) -> Arc<str> {
    // a map of JSON values has a JSON text
    serde_json::to_string(partition).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object(name: &str, number: usize) -> serde_json::Map<String, serde_json::Value> {
        [(name.to_owned(), json!(number))].into_iter().collect()
    }

    fn number(object: &serde_json::Map<String, serde_json::Value>, name: &str) -> usize {
        object[name].as_u64().unwrap_or_default() as usize
    }

    #[derive(Clone, Debug)]
    enum Event {
        /// A batch of this partition with so many messages.
        Submit(usize, usize),
        /// Some outstanding message is acknowledged.
        Acknowledge(prop::sample::Index),
        /// What is committable is taken and committed, or the commit fails.
        Commit { succeeds: bool },
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            2 => (0..3_usize, 0..4_usize).prop_map(|(partition, messages)| Event::Submit(partition, messages)),
            4 => any::<prop::sample::Index>().prop_map(Event::Acknowledge),
            1 => any::<bool>().prop_map(|succeeds| Event::Commit { succeeds }),
        ];
        prop::collection::vec(event, 0..120)
    }

    /// What should happen, the slow way.
    #[derive(Default)]
    struct Model {
        /// Partition, messages, acknowledged messages of each batch.
        batches: Vec<(usize, usize, usize)>,
        committed: BTreeMap<usize, usize>,
    }

    impl Model {
        /// The last batch with a message in the longest acknowledged prefix of a partition.
        fn committable(&self, partition: usize) -> Option<usize> {
            let of_partition = self.batches.iter().enumerate().filter(|(_, batch)| batch.0 == partition);
            let prefix = of_partition.take_while(|(_, batch)| batch.1 == batch.2);
            prefix.filter(|(_, batch)| batch.1 > 0).last().map(|(number, _)| number)
        }
    }

    proptest! {
        /// Law 1 for sources: an offset is committable only after all messages before it are acknowledged.
        #[test]
        fn a_source_offset_is_committable_only_after_everything_before_it(events in events()) {
            let mut model = Model::default();
            let mut acknowledgements = Acknowledgements::default();
            let (mut ids, mut outstanding) = (Vec::new(), Vec::new());
            let finish = [Event::Commit { succeeds: true }];
            for event in events.iter().chain(&finish) {
                match event {
                    Event::Submit(partition, messages) => {
                        let number = ids.len();
                        let id = acknowledgements.open(object("p", *partition), object("o", number), false);
                        acknowledgements.sent(id, *messages);
                        outstanding.extend(vec![number; *messages]);
                        acknowledgements.close(id);
                        ids.push(id);
                        model.batches.push((*partition, *messages, 0));
                    }
                    Event::Acknowledge(index) if !outstanding.is_empty() => {
                        let number = outstanding.swap_remove(index.index(outstanding.len()));
                        acknowledgements.acknowledged(ids[number], 1);
                        model.batches[number].2 += 1;
                    }
                    Event::Acknowledge(_) => {}
                    Event::Commit { succeeds } => {
                        let taken = acknowledgements.take_committable();
                        for (partition, offset) in &taken {
                            let partition = number(partition, "p");
                            prop_assert_eq!(model.committable(partition), Some(number(offset, "o")));
                        }
                        for partition in 0..3 {
                            let is_new = model.committable(partition) > model.committed.get(&partition).copied();
                            prop_assert_eq!(is_new, taken.iter().any(|(taken, _)| number(taken, "p") == partition));
                        }
                        if *succeeds {
                            model.committed.extend(taken.iter().map(|(p, o)| (number(p, "p"), number(o, "o"))));
                        } else {
                            acknowledgements.restore(taken);
                        }
                    }
                }
                prop_assert_eq!(acknowledgements.outstanding(), outstanding.len());
            }
            prop_assert_eq!(acknowledgements.is_settled(), outstanding.is_empty());
        }
    }

    #[test]
    fn a_batch_that_is_still_being_sent_is_not_committable() {
        let mut acknowledgements = Acknowledgements::default();
        let id = acknowledgements.open(object("p", 0), object("o", 1), false);
        acknowledgements.sent(id, 1);
        acknowledgements.acknowledged(id, 1);
        assert!(acknowledgements.take_committable().is_empty());
        assert!(!acknowledgements.is_settled());
        acknowledgements.close(id);
        assert_eq!(acknowledgements.take_committable(), [(object("p", 0), object("o", 1))]);
    }

    #[test]
    fn offsets_that_are_given_back_do_not_replace_newer_ones() {
        let mut acknowledgements = Acknowledgements::default();
        let submit = |acknowledgements: &mut Acknowledgements, offset| {
            let id = acknowledgements.open(object("p", 0), object("o", offset), true);
            acknowledgements.close(id);
        };
        submit(&mut acknowledgements, 1);
        let old = acknowledgements.take_committable();
        submit(&mut acknowledgements, 2);
        acknowledgements.restore(old);
        assert_eq!(acknowledgements.take_committable(), [(object("p", 0), object("o", 2))]);
    }
}
