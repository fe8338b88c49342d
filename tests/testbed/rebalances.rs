//! A rebalance listener that remembers what it was told, and commits like a task where asked to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use volley_api::{Offsets, TopicPartition};
use volley_kafka::{Committer, RebalanceListener};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rebalance {
    Assigned(Offsets),
    Revoked(Vec<TopicPartition>),
    Lost(Vec<TopicPartition>),
}

#[derive(Default)]
struct State {
    events: Vec<Rebalance>,
    owned: BTreeSet<TopicPartition>,
    delivered: Offsets,
    committer: Option<Committer>,
}

#[derive(Default)]
pub(crate) struct Rebalances(Mutex<State>);

impl Rebalances {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn events(&self) -> Vec<Rebalance> {
        self.0.lock().unwrap().events.clone()
    }

    /// What is owned, as far as the listener was told.
    pub(crate) fn owned(&self) -> BTreeSet<TopicPartition> {
        self.0.lock().unwrap().owned.clone()
    }

    /// From now on, commits in `revoked` what [`Rebalances::delivered`] was told of the partitions.
    pub(crate) fn commit_with(&self, committer: Committer) {
        self.0.lock().unwrap().committer = Some(committer);
    }

    /// Everything of `partition` up to `end` is delivered.
    pub(crate) fn delivered(&self, partition: &TopicPartition, end: i64) {
        self.0.lock().unwrap().delivered.insert(partition.clone(), end);
    }
}

impl RebalanceListener for Rebalances {
    fn assigned(&self, positions: &Offsets) {
        let mut state = self.0.lock().unwrap();
        for partition in positions.keys() {
            assert!(state.owned.insert(partition.clone()), "{partition} assigned twice");
        }
        state.events.push(Rebalance::Assigned(positions.clone()));
    }

    fn revoked(&self, partitions: &[TopicPartition]) {
        let mut state = self.0.lock().unwrap();
        let mut offsets = Offsets::new();
        for partition in partitions {
            assert!(state.owned.remove(partition), "{partition} revoked, but not owned");
            offsets.extend(state.delivered.remove_entry(partition));
        }
        if let Some(committer) = &state.committer {
            committer.commit(&offsets).unwrap();
        }
        state.events.push(Rebalance::Revoked(partitions.to_vec()));
    }

    fn lost(&self, partitions: &[TopicPartition]) {
        let mut state = self.0.lock().unwrap();
        for partition in partitions {
            assert!(state.owned.remove(partition), "{partition} lost, but not owned");
            state.delivered.remove(partition);
        }
        state.events.push(Rebalance::Lost(partitions.to_vec()));
    }
}
