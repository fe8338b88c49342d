//! What became of the rows of a source task, told to its host in runs.

use std::collections::{HashMap, VecDeque};

use volley_api::{AcknowledgedBatch, SourceBatch, SourceOffset, TopicPartition};

use super::polled_messages::NumberedBatch;
use crate::frames::{Kind, Outgoing};

/// Stands for the number of rows of a run, where the one row was dropped.
const DROPPED: u32 = u32::MAX;

#[derive(Debug, PartialEq)]
enum Run {
    Delivered { sequence: u64, rows: u32, partition: TopicPartition, offset: i64 },
    Dropped { sequence: u64 },
}

#[derive(Debug)]
struct Outstanding {
    offset: SourceOffset,
    sequences: Vec<u64>,
}

/// Rows on their way to Kafka, by source partition, and what is to be told of those that have arrived.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    outstanding: HashMap<String, VecDeque<Outstanding>>,
    runs: Vec<Run>,
}

impl Acknowledgements {
    /// A batch goes to the worker.
    pub(crate) fn sent(&mut self, batch: &NumberedBatch) {
        let SourceBatch { partition, offset, .. } = &batch.batch;
        let outstanding = Outstanding { offset: offset.clone(), sequences: batch.sequences.clone() };
        self.outstanding.entry(name(partition)).or_default().push_back(outstanding);
    }

    /// The worker says what became of a batch. Those of a source partition come in order; one that it says nothing of has
    /// nothing delivered.
    pub(crate) fn acknowledged(&mut self, batch: &AcknowledgedBatch) {
        let name = name(&batch.partition);
        let Some(queue) = self.outstanding.get_mut(&name) else { return };
        let mut arrived = Vec::new();
        while let Some(next) = queue.pop_front() {
            let is_it = next.offset == batch.offset;
            arrived.push((next.sequences, if is_it { batch.rows.as_slice() } else { &[] }));
            if is_it {
                break;
            }
        }
        if queue.is_empty() {
            self.outstanding.remove(&name);
        }
        for (sequences, rows) in arrived {
            let mut places: Vec<Option<(&TopicPartition, i64)>> = vec![None; sequences.len()];
            for row in rows {
                if let Some(place) = places.get_mut(row.row) {
                    *place = Some((&row.partition, row.offset));
                }
            }
            for (sequence, place) in sequences.into_iter().zip(places) {
                self.add(sequence, place);
            }
        }
    }

    fn add(&mut self, sequence: u64, place: Option<(&TopicPartition, i64)>) {
        let Some((to, at)) = place else { return self.runs.push(Run::Dropped { sequence }) };
        if let Some(Run::Delivered { sequence: first, rows, partition, offset }) = self.runs.last_mut() {
            let count = u64::from(*rows);
            if partition == to && *first + count == sequence && *offset + i64::from(*rows) == at && *rows < DROPPED - 1
            {
                *rows += 1;
                return;
            }
        }
        self.runs.push(Run::Delivered { sequence, rows: 1, partition: to.clone(), offset: at });
    }

    /// The ACKED frame of what is to be told; `None` if there is nothing.
    pub(crate) fn take(&mut self) -> Option<Outgoing> {
        if self.runs.is_empty() {
            return None;
        }
        let mut frame = Outgoing::new(Kind::Acked);
        frame.count(self.runs.len());
        for run in self.runs.drain(..) {
            match run {
                Run::Delivered { sequence, rows, partition, offset } => {
                    frame.u64(sequence);
                    frame.u32(rows);
                    frame.text(&partition.topic);
                    frame.i32(partition.partition);
                    frame.i64(offset);
                    frame.i64(-1); // the producer does not tell the timestamp
                }
                Run::Dropped { sequence } => {
                    frame.u64(sequence);
                    frame.u32(DROPPED);
                }
            }
        }
        Some(frame)
    }
}

fn name(partition: &SourceOffset) -> String {
    serde_json::to_string(partition).expect("a map of JSON values can be written")
}
