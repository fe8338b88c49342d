//! What the fetcher and the task of its member tell each other.

use std::collections::VecDeque;
use std::fmt;

use parking_lot::Mutex;
use tokio::sync::watch;
use volley_api::{Error, Result};

use crate::consumer::consumer_events::Rebalance;
use crate::sasl;

/// The consumer's place in the group, shared by its two sides. Locks are held for moments.
pub(super) struct Place {
    told: Mutex<Told>,
    /// The topics to consume; `None` until it is known.
    topics: watch::Sender<Option<Vec<String>>>,
    /// Counts polls.
    polls: watch::Sender<u64>,
    /// Counts what was given up.
    given_up: watch::Sender<u64>,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Debug, Default)]
struct Told {
    rebalances: VecDeque<Rebalance>,
    refusal: Option<Error>,
    is_cooperative: bool,
    is_lost: bool,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("told", &self.told).finish_non_exhaustive()
    }
}

/// The fetcher's side.
impl Place {
    /// `wake` ends the wait of the fetcher.
    pub(super) fn new(is_cooperative: bool, wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self {
            told: Mutex::new(Told { is_cooperative, ..Told::default() }),
            topics: watch::Sender::new(None),
            polls: watch::Sender::new(0),
            given_up: watch::Sender::new(0),
            wake,
        }
    }

    pub(super) fn subscribe(&self, topics: &[String]) {
        let mut topics = topics.to_vec();
        topics.sort_unstable();
        topics.dedup();
        self.topics.send_replace(Some(topics));
    }

    /// The next rebalance to perform.
    pub(super) fn next_rebalance(&self) -> Option<Rebalance> {
        self.told.lock().rebalances.pop_front()
    }

    pub(super) fn has_rebalance(&self) -> bool {
        !self.told.lock().rebalances.is_empty()
    }

    /// Whether partitions are added to those that are there.
    pub(super) fn is_cooperative(&self) -> bool {
        self.told.lock().is_cooperative
    }

    /// Whether others may have the partitions.
    pub(super) fn is_lost(&self) -> bool {
        self.told.lock().is_lost
    }

    pub(super) fn polled(&self) {
        self.polls.send_modify(|polls| *polls += 1);
    }

    /// A [`Rebalance::Revoke`] was performed.
    pub(super) fn has_given_up(&self) {
        self.given_up.send_modify(|times| *times += 1);
    }

    /// # Errors
    /// What the cluster refuses, until it does not any more.
    pub(super) fn check(&self) -> Result<()> {
        self.told.lock().refusal.clone().map_or(Ok(()), |error| Err(sasl::in_words_of_broker(error)))
    }
}

/// The task's side.
impl Place {
    pub(super) fn topics(&self) -> watch::Receiver<Option<Vec<String>>> {
        self.topics.subscribe()
    }

    pub(super) fn polls(&self) -> watch::Receiver<u64> {
        self.polls.subscribe()
    }

    pub(super) fn given_up(&self) -> watch::Receiver<u64> {
        self.given_up.subscribe()
    }

    pub(super) fn tell(&self, rebalance: Rebalance) {
        self.told.lock().rebalances.push_back(rebalance);
        (self.wake)();
    }

    pub(super) fn refuse(&self, error: Error) {
        self.told.lock().refusal = Some(error);
        (self.wake)();
    }

    /// The member has a generation.
    pub(super) fn joined(&self, is_cooperative: bool) {
        let mut told = self.told.lock();
        told.refusal = None;
        told.is_cooperative = is_cooperative;
        told.is_lost = false;
    }

    /// Others may have the partitions: what is still to be given up is too late.
    pub(super) fn lose(&self) {
        let mut told = self.told.lock();
        told.is_lost = true;
        for rebalance in &mut told.rebalances {
            if let Rebalance::Revoke { lost, .. } = rebalance {
                *lost = true;
            }
        }
    }
}
