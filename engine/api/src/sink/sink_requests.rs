//! What a sink task has asked of the worker, from the worker's side.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::{LateRejection, TopicPartition};

/// Kept until the worker carries it out.
#[derive(Debug, Default)]
pub(crate) struct Requested {
    pub(crate) assignment: Vec<TopicPartition>,
    pub(crate) rewinds: Vec<(TopicPartition, i64)>,
    /// Whether to go back to what is committed, before the seeks.
    pub(crate) to_committed: bool,
    /// The last word on each partition.
    pub(crate) seeks: BTreeMap<TopicPartition, i64>,
    pub(crate) commit: bool,
    /// The last word on each partition.
    pub(crate) pauses: BTreeMap<TopicPartition, bool>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) rejections: Vec<LateRejection>,
}

/// The requests of one task. For the worker; a clone is the same requests.
#[derive(Clone, Debug, Default)]
pub struct SinkRequests(Arc<Mutex<Requested>>);

impl SinkRequests {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Requested) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn assignment(&self) -> Vec<TopicPartition> {
        self.change(|requests| requests.assignment.clone())
    }

    /// Says which partitions are assigned now.
    pub fn set_assignment(&self, partitions: Vec<TopicPartition>) {
        self.change(|requests| requests.assignment = partitions);
    }

    /// Takes the rewinds asked for.
    pub fn take_rewinds(&self) -> Vec<(TopicPartition, i64)> {
        self.change(|requests| std::mem::take(&mut requests.rewinds))
    }

    /// Takes the seeks asked for: whether all partitions go back to what is committed, and after that where single ones go.
    pub fn take_seeks(&self) -> (bool, BTreeMap<TopicPartition, i64>) {
        self.change(|requests| (std::mem::take(&mut requests.to_committed), std::mem::take(&mut requests.seeks)))
    }

    /// Takes the wish for a commit.
    pub fn take_commit(&self) -> bool {
        self.change(|requests| std::mem::take(&mut requests.commit))
    }

    /// Takes the partitions to be paused (`true`) or resumed.
    pub fn take_pauses(&self) -> BTreeMap<TopicPartition, bool> {
        self.change(|requests| std::mem::take(&mut requests.pauses))
    }

    /// Takes the wait before the batch is put again.
    pub fn take_timeout(&self) -> Option<Duration> {
        self.change(|requests| requests.timeout.take())
    }

    /// Takes the rows found bad after they were put.
    pub fn take_rejections(&self) -> Vec<LateRejection> {
        self.change(|requests| std::mem::take(&mut requests.rejections))
    }
}
