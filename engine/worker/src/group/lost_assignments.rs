//! Handles the items of lost workers: they wait some time for the worker's return, then go to others.

use std::collections::{HashMap, HashSet};

use indexmap::IndexSet;
use tracing::debug;
use volley_java::hash_map_order;

use super::items::{ItemKind, Items};
use super::worker_load::WorkerLoad;
use crate::connector_task_id::ConnectorTaskId;

/// The scheduled rebalance, and the workers without work that wait for it.
#[derive(Debug)]
pub(super) struct LostAssignments {
    max_delay_ms: i32,
    delay_ms: i32,
    /// 0: none.
    scheduled_ms: i64,
    candidates: IndexSet<String>,
}

/// The outcome for lost items in this round.
#[derive(Debug, Default)]
pub(super) struct LostOutcome {
    /// Items to assign like new ones.
    pub(super) reassign: Items,
    /// The delay is over: consecutive revocations are allowed again.
    pub(super) is_delay_over: bool,
}

impl LostAssignments {
    pub(super) fn new(max_delay_ms: i32) -> Self {
        Self { max_delay_ms, delay_ms: 0, scheduled_ms: 0, candidates: IndexSet::new() }
    }

    /// Time until all members have to join again; 0 = no need to.
    pub(super) fn delay_ms(&self) -> i32 {
        self.delay_ms
    }

    /// Schedules a rebalance of all members.
    pub(super) fn schedule(&mut self, delay_ms: i32, now_ms: i64) {
        self.delay_ms = delay_ms;
        self.scheduled_ms = now_ms.saturating_add(i64::from(delay_ms));
    }

    /// Decides on `lost`. Items that go to candidates are added to `workers` at once.
    pub(super) fn handle(
        &mut self,
        lost: &Items,
        workers: &mut [WorkerLoad],
        previous_members: &HashSet<String>,
        now_ms: i64,
    ) -> LostOutcome {
        let members: HashSet<&str> = workers.iter().map(|load| load.worker.as_str()).collect();
        let has_everybody_stayed = previous_members.iter().all(|member| members.contains(member.as_str()));
        if self.scheduled_ms <= 0 && has_everybody_stayed {
            debug!("a worker did not get its last assignment, what it should have run is given away anew");
            LostOutcome { reassign: lost.clone(), is_delay_over: false }
        } else if self.max_delay_ms == 0 {
            LostOutcome { reassign: lost.clone(), is_delay_over: false }
        } else if self.scheduled_ms > 0 && now_ms >= self.scheduled_ms {
            let reassign = self.give_to_candidates(lost, workers);
            self.reset();
            LostOutcome { reassign, is_delay_over: true }
        } else {
            self.wait(workers, now_ms);
            LostOutcome::default()
        }
    }

    /// Clears the schedule: no items are lost any more.
    pub(super) fn reset(&mut self) {
        self.candidates.clear();
        self.scheduled_ms = 0;
        self.delay_ms = 0;
    }

    /// Assigns `lost` in turn to the workers that waited for it. Returns the rest: all or nothing.
    fn give_to_candidates(&self, lost: &Items, workers: &mut [WorkerLoad]) -> Items {
        let places: HashMap<&str, usize> =
            workers.iter().enumerate().map(|(place, load)| (load.worker.as_str(), place)).collect();
        let places: Vec<usize> = self.candidates.iter().filter_map(|it| places.get(it.as_str()).copied()).collect();
        if places.is_empty() {
            return lost.clone();
        }
        deal::<String>(lost, &places, workers);
        deal::<ConnectorTaskId>(lost, &places, workers);
        Items::default()
    }

    fn wait(&mut self, workers: &[WorkerLoad], now_ms: i64) {
        let empty = workers.iter().filter(|load| load.items.is_empty()).map(|load| load.worker.clone());
        self.candidates.extend(hash_map_order(empty));
        let delay_ms = match self.scheduled_ms.saturating_sub(now_ms) {
            remaining if remaining > 0 => {
                i32::try_from(remaining).map_or(self.max_delay_ms, |it| it.min(self.max_delay_ms))
            }
            _ => self.max_delay_ms,
        };
        self.schedule(delay_ms, now_ms);
        debug!(delay_ms, "waiting for a worker that has left");
    }
}

fn deal<T: ItemKind>(lost: &Items, places: &[usize], workers: &mut [WorkerLoad]) {
    for (item, place) in T::of(lost).iter().zip(places.iter().cycle()) {
        T::of_mut(&mut workers[*place].items).insert(item.clone());
    }
}
