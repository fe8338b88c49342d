//! The load of each worker, its balancing, and the assignment of new items.

use indexmap::IndexSet;
use volley_java::compare_strings;

use super::items::{ItemKind, Items};
use crate::connector_task_id::ConnectorTaskId;

/// A worker and its items.
#[derive(Clone, Debug)]
pub(super) struct WorkerLoad {
    pub(super) worker: String,
    pub(super) items: Items,
}

/// The items that each worker has to give up so that none holds more than its share of an even distribution of all
/// configured items. Returns a set for each worker, or `None` if no worker has to give up items.
pub(super) fn load_balancing_revocations(configured: &Items, workers: &[WorkerLoad]) -> Option<Vec<Items>> {
    if configured.is_empty() || workers.iter().all(|load| load.items.is_empty()) {
        return None;
    }
    let connectors = surplus::<String>(configured, workers);
    let tasks = surplus::<ConnectorTaskId>(configured, workers);
    let revocations: Vec<Items> =
        connectors.into_iter().zip(tasks).map(|(connectors, tasks)| Items { connectors, tasks }).collect();
    revocations.iter().any(|revoked| !revoked.is_empty()).then_some(revocations)
}

/// The first few items of each worker beyond its share. The share is the minimum, plus one for the first workers that
/// hold more, as far as there is a remainder.
fn surplus<T: ItemKind>(configured: &Items, workers: &[WorkerLoad]) -> Vec<IndexSet<T>> {
    let total = T::of(configured).len();
    let (minimum, extras) = (total / workers.len(), total % workers.len());
    let holders_of = |size: usize| workers.iter().filter(|load| T::of(&load.items).len() == size).count();
    let with_extra = holders_of(minimum + 1);
    if with_extra == extras && holders_of(minimum) + with_extra == workers.len() {
        return vec![IndexSet::new(); workers.len()];
    }
    let mut extras_left = extras;
    let surplus_of = |load: &WorkerLoad| {
        let held = T::of(&load.items);
        if held.len() <= minimum {
            return IndexSet::new();
        }
        let extra = extras_left.min(1);
        extras_left -= extra;
        held.iter().take(held.len() - minimum - extra).cloned().collect()
    };
    workers.iter().map(surplus_of).collect()
}

/// Assigns connectors, then tasks, to the workers that hold the fewest of that kind. Sorts the workers by load.
pub(super) fn assign_to_least_loaded(workers: &mut [WorkerLoad], new: &Items) {
    distribute::<String>(workers, new);
    distribute::<ConnectorTaskId>(workers, new);
}

fn distribute<T: ItemKind>(workers: &mut [WorkerLoad], new: &Items) {
    let size = |load: &WorkerLoad| T::of(&load.items).len();
    workers
        .sort_by(|left, right| size(left).cmp(&size(right)).then_with(|| compare_strings(&left.worker, &right.worker)));
    let mut new = T::of(new).iter().cloned();
    while let Some(least) = workers.first().map(size) {
        for load in workers.iter_mut().take_while(|load| size(load) == least) {
            let Some(item) = new.next() else { return };
            T::of_mut(&mut load.items).insert(item);
        }
    }
}
