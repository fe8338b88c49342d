//! What a consumer shares with its tasks: the partitions, and the queue of what was fetched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use tokio::sync::watch;
use uuid::Uuid;
use volley_api::{Error, TopicPartition};

use super::partition::Partition;
use super::session::{Asked, Plan};
use super::settings::NativeSettings;
use super::trouble::Trouble;
use crate::records::AbortedTransaction;
use crate::wire::Address;

/// The whole records of one partition in one answer.
#[derive(Debug)]
pub(super) struct FetchedPartition {
    pub(super) partition: TopicPartition,
    pub(super) generation: u64,
    /// What was asked for.
    pub(super) offset: i64,
    pub(super) records: Bytes,
    pub(super) aborted: Vec<AbortedTransaction>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) partitions: BTreeMap<TopicPartition, Partition>,
    /// Where brokers listen.
    pub(super) brokers: BTreeMap<i32, Address>,
    /// Brokers of which the last request failed.
    pub(super) failing: BTreeSet<i32>,
    /// Until then leaders are not asked for replicas nearby: one of them failed.
    shuns_replicas_until: Option<Instant>,
    pub(super) topic_ids: BTreeMap<Arc<str>, Uuid>,
    /// The ids of topics that were deleted and made again. A broker that is behind may still name them.
    pub(super) retired_ids: BTreeSet<Uuid>,
    /// Topics that no broker knows.
    pub(super) missing: BTreeSet<Arc<str>>,
    pub(super) fetched: VecDeque<FetchedPartition>,
    pub(super) waiting_bytes: usize,
    /// Whether nothing is asked for while anything waits.
    pub(super) is_sparing: bool,
    /// Set until the owner waits again: it has something else to do.
    pub(super) is_called: bool,
    /// A refusal that the owner has not been told of.
    pub(super) refusal: Option<Error>,
    /// Partitions whose log has no record at this position, and of which the owner has not been told.
    pub(super) out_of_range: BTreeMap<TopicPartition, i64>,
    generations: u64,
}

impl State {
    pub(super) fn next_generation(&mut self) -> u64 {
        self.generations += 1;
        self.generations
    }

    /// Notes a refusal, unless one is noted already: it comes again.
    pub(super) fn refuse(&mut self, error: Error) {
        self.refusal.get_or_insert(error);
    }

    /// What the owner has not been told of.
    pub(super) fn take_troubles(&mut self) -> Vec<Trouble> {
        let out_of_range = std::mem::take(&mut self.out_of_range).into_iter();
        let troubles = out_of_range.map(|(partition, offset)| Trouble::OutOfRange { partition, offset });
        troubles.chain(self.refusal.take().map(Trouble::Refused)).collect()
    }

    fn has_trouble(&self) -> bool {
        self.refusal.is_some() || !self.out_of_range.is_empty()
    }

    /// Forgets a replica nearby that does not answer: the leaders are asked instead. They may not know that it fails, and
    /// would name it again.
    pub(super) fn lose_nearby(&mut self, broker: i32, settings: &NativeSettings) {
        for partition in self.partitions.values_mut() {
            if partition.nearby.take_if(|nearby| nearby.broker == broker).is_some() {
                self.shuns_replicas_until = Some(Instant::now() + settings.metadata_age);
            }
        }
    }

    /// Bytes that may wait before nothing more is asked for.
    pub(super) fn max_waiting_bytes(&self, settings: &NativeSettings) -> usize {
        if self.is_sparing { 1 } else { settings.max_waiting_bytes }
    }

    /// Whether leaders may name replicas nearby.
    pub(super) fn wants_replicas(&self, now: Instant) -> bool {
        self.shuns_replicas_until.is_none_or(|until| now >= until)
    }

    /// The partitions that are to be fetched from a broker.
    pub(super) fn partitions_of(&self, broker: i32, now: Instant) -> impl Iterator<Item = &TopicPartition> {
        let all = self.partitions.iter();
        all.filter(move |(_, partition)| partition.broker(now) == Some(broker)).map(|(name, _)| name)
    }

    /// What to ask a broker for now, and when there may be more.
    pub(super) fn plan(&self, broker: i32, settings: &NativeSettings, now: Instant) -> (Plan, Option<Instant>) {
        if self.waiting_bytes >= self.max_waiting_bytes(settings) {
            return (Plan::new(), None);
        }
        let (mut plan, mut later) = (Plan::new(), None::<Instant>);
        for (name, partition) in &self.partitions {
            if !partition.is_wanted() {
                continue;
            }
            // the leader is asked again when its word on a replica nearby does not count any more
            let due = match partition.broker(now) == Some(broker) {
                true => partition.not_before.filter(|due| now < *due),
                false if partition.leader.is_some_and(|leader| leader.broker == broker) => {
                    partition.nearby.map(|nearby| nearby.until)
                }
                false => continue,
            };
            if let Some(due) = due {
                later = Some(later.map_or(due, |later| later.min(due)));
                continue;
            }
            let asked = Asked {
                topic_id: self.topic_ids.get(&name.topic).copied().unwrap_or_default(),
                generation: partition.generation,
                offset: partition.fetch_offset,
                leader_epoch: partition.leader.map_or(-1, |leader| leader.epoch),
                fetched_epoch: partition.fetched_epoch,
                max_bytes: partition.max_bytes.unwrap_or(settings.max_partition_bytes),
            };
            plan.insert(name.clone(), asked);
        }
        (plan, later)
    }

    /// The brokers that partitions are to be fetched from.
    pub(super) fn wanted_brokers(&self, now: Instant) -> BTreeMap<i32, Address> {
        let ids = self.partitions.values().filter_map(|partition| partition.broker(now));
        ids.filter_map(|id| Some((id, self.brokers.get(&id)?.clone()))).collect()
    }

    /// Drops what waits of a generation that is over, and troubles that are.
    pub(super) fn drop_void(&mut self) {
        let partitions = &self.partitions;
        self.out_of_range.retain(|name, _| partitions.get(name).is_some_and(|partition| partition.is_out_of_range));
        self.fetched.retain(|fetched| {
            partitions.get(&fetched.partition).is_some_and(|partition| partition.generation == fetched.generation)
        });
        self.waiting_bytes = self.fetched.iter().map(|fetched| fetched.records.len()).sum();
    }
}

/// Shared by the owner and the tasks. The lock is held for moments only.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: NativeSettings,
    pub(super) state: Mutex<State>,
    arrived: Condvar,
    /// Counts changes of what is to be fetched.
    changes: watch::Sender<u64>,
    /// Counts requests for the leaders.
    outdated: watch::Sender<u64>,
    is_closed: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(settings: NativeSettings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            state: Mutex::default(),
            arrived: Condvar::new(),
            changes: watch::Sender::new(0),
            outdated: watch::Sender::new(0),
            is_closed: watch::Sender::new(false),
        })
    }

    /// Tells the tasks to look again at what is to be fetched.
    pub(super) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn watch_changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Asks for the leaders anew.
    pub(super) fn leaders_outdated(&self) {
        self.outdated.send_modify(|count| *count += 1);
    }

    pub(super) fn watch_outdated(&self) -> watch::Receiver<u64> {
        self.outdated.subscribe()
    }

    /// Ends the tasks, in order.
    pub(super) fn close(&self) {
        self.is_closed.send_replace(true);
    }

    /// Resolves when the tasks are to end.
    pub(super) async fn closed(&self) {
        // the sender is here, so that this cannot fail
        let _ = self.is_closed.subscribe().wait_for(|is_closed| *is_closed).await;
    }

    /// Wakes the owner because something has come.
    pub(super) fn wake(&self) {
        self.arrived.notify_one();
    }

    /// Wakes the owner because it has something else to do.
    pub(super) fn call(&self) {
        self.state.lock().is_called = true;
        self.arrived.notify_one();
    }

    /// Waits until something has come, the owner is called, or the time has come.
    pub(super) fn wait(&self, until: Instant) {
        let mut state = self.state.lock();
        while state.fetched.is_empty() && !state.has_trouble() && !state.is_called {
            if self.arrived.wait_until(&mut state, until).timed_out() {
                return;
            }
        }
    }
}
