//! Sets of connector instances and tasks that keep the order of insertion.

use std::collections::HashSet;
use std::hash::Hash;

use indexmap::IndexSet;
use volley_java::{JavaHash, compare_strings, hash_set_copy_order};

use super::ConnectorsAndTasks;
use crate::connector_task_id::ConnectorTaskId;

/// Connector instances and tasks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Items {
    pub(super) connectors: IndexSet<String>,
    pub(super) tasks: IndexSet<ConnectorTaskId>,
}

/// A kind of item. Each kind is counted and balanced separately, in the same way.
pub(super) trait ItemKind: Clone + Eq + Hash + JavaHash {
    /// The items of this kind.
    fn of(items: &Items) -> &IndexSet<Self>;

    /// The items of this kind, mutable.
    fn of_mut(items: &mut Items) -> &mut IndexSet<Self>;
}

impl ItemKind for String {
    fn of(items: &Items) -> &IndexSet<Self> {
        &items.connectors
    }

    fn of_mut(items: &mut Items) -> &mut IndexSet<Self> {
        &mut items.connectors
    }
}

impl ItemKind for ConnectorTaskId {
    fn of(items: &Items) -> &IndexSet<Self> {
        &items.tasks
    }

    fn of_mut(items: &mut Items) -> &mut IndexSet<Self> {
        &mut items.tasks
    }
}

impl Items {
    pub(super) fn is_empty(&self) -> bool {
        self.connectors.is_empty() && self.tasks.is_empty()
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.connectors.extend(other.connectors.iter().cloned());
        self.tasks.extend(other.tasks.iter().cloned());
    }

    pub(super) fn remove_all(&mut self, other: &Self) {
        self.connectors.retain(|connector| !other.connectors.contains(connector));
        self.tasks.retain(|task| !other.tasks.contains(task));
    }

    /// The items that are in none of `others`, in the same order.
    pub(super) fn without(&self, others: &[&Self]) -> Self {
        let mut rest = self.clone();
        for other in others {
            rest.remove_all(other);
        }
        rest
    }

    /// The items that are also in `other`, in the order of a Java `HashSet` of them.
    pub(super) fn hashed_intersection(&self, other: &Self) -> Self {
        Self {
            connectors: hashed_intersection(&self.connectors, &other.connectors),
            tasks: hashed_intersection(&self.tasks, &other.tasks),
        }
    }

    pub(super) fn has_any_of(&self, others: &Self) -> bool {
        others.connectors.iter().any(|connector| self.connectors.contains(connector))
            || others.tasks.iter().any(|task| self.tasks.contains(task))
    }

    /// In Java's order of names and numbers.
    #[must_use]
    pub(super) fn sorted(mut self) -> Self {
        self.connectors.sort_by(|left, right| compare_strings(left, right));
        self.tasks.sort_by(ConnectorTaskId::java_cmp);
        self
    }

    /// The items that are in more than one of these sets.
    pub(super) fn in_more_than_one<'a>(holders: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut connectors, mut tasks) = (HashSet::new(), HashSet::new());
        let mut repeated = Self::default();
        for held in holders {
            repeated.connectors.extend(held.connectors.iter().filter(|it| !connectors.insert(*it)).cloned());
            repeated.tasks.extend(held.tasks.iter().filter(|it| !tasks.insert(*it)).cloned());
        }
        repeated
    }
}

fn hashed_intersection<T: ItemKind>(these: &IndexSet<T>, others: &IndexSet<T>) -> IndexSet<T> {
    let all: Vec<T> = these.iter().cloned().collect();
    hash_set_copy_order(&all).into_iter().filter(|item| others.contains(item)).collect()
}

impl From<&ConnectorsAndTasks> for Items {
    fn from(items: &ConnectorsAndTasks) -> Self {
        Self { connectors: items.connectors.iter().cloned().collect(), tasks: items.tasks.iter().cloned().collect() }
    }
}

impl From<Items> for ConnectorsAndTasks {
    fn from(items: Items) -> Self {
        Self { connectors: items.connectors.into_iter().collect(), tasks: items.tasks.into_iter().collect() }
    }
}
