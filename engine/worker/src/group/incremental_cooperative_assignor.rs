//! The incremental cooperative assignor (KIP-415): moves as little work as possible.
//!
//! An item is assigned only when no worker runs it. An item that has to move is revoked in one round and assigned in
//! the next, which follows at once. Items of a lost worker wait some time for its return. The same input has the same
//! outcome as with a Java leader, so that a change of the leader moves nothing.
//!
//! ```text
//!  b joins          a: t0 t1 t2 t3   b: –         revoke t0 and t1, which a holds beyond its share
//!  next round       a: t2 t3         b: –         assign t0 and t1 to b, since no worker runs them
//!  a is lost        b: t0 t1                      t2 and t3 wait for `scheduled.rebalance.max.delay.ms`
//!  after the delay  b: t0 t1                      assign t2 and t3 to b, unless a has returned
//! ```

use std::collections::{HashMap, HashSet};

use tracing::debug;
use volley_java::hash_map_order;

use super::ConnectorsAndTasks;
use super::exponential_backoff::ExponentialBackoff;
use super::items::Items;
use super::lost_assignments::LostAssignments;
use super::worker_load::{WorkerLoad, assign_to_least_loaded, load_balancing_revocations};

/// One round of the group.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    /// All connectors and tasks to run.
    pub configured: &'a ConnectorsAndTasks,
    /// The work that each member reports, in the order of the JoinGroup response.
    pub members: &'a [(String, ConnectorsAndTasks)],
    /// The last generation whose assignment this worker got; -1: none.
    pub last_completed_generation: i32,
    /// The generation of this round.
    pub generation: i32,
    /// Now, in ms.
    pub now_ms: i64,
}

/// The changes for a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberAssignment {
    /// Items to start.
    pub assigned: ConnectorsAndTasks,
    /// Items to stop.
    pub revoked: ConnectorsAndTasks,
    /// All items that the member holds after both.
    pub held: ConnectorsAndTasks,
}

/// Assigns connectors and tasks. A worker keeps one assignor for its lifetime. It remembers its last round as the
/// leader, which is of no use to other workers.
#[derive(Debug)]
pub struct IncrementalCooperativeAssignor {
    lost: LostAssignments,
    revocation_backoff: ExponentialBackoff,
    /// Items that ran or waited for a lost worker after the previous round.
    previous: Items,
    previous_revocation: Items,
    previous_members: HashSet<String>,
    previous_generation: i32,
    has_revoked_before: bool,
    successive_revocations: u32,
}

impl IncrementalCooperativeAssignor {
    /// With this delay for a lost worker (`scheduled.rebalance.max.delay.ms`).
    pub fn new(max_delay_ms: i32) -> Self {
        Self {
            lost: LostAssignments::new(max_delay_ms),
            revocation_backoff: ExponentialBackoff::new(1, 40, i64::from(max_delay_ms)),
            previous: Items::default(),
            previous_revocation: Items::default(),
            previous_members: HashSet::new(),
            previous_generation: -1,
            has_revoked_before: false,
            successive_revocations: 0,
        }
    }

    /// Decides on a round: the changes for each member. All members have to join again after [`Self::delay_ms`].
    pub fn assign(&mut self, round: &Round<'_>) -> HashMap<String, MemberAssignment> {
        let configured = Items::from(round.configured);
        let current = workers(round.members);
        let active = all(&current);
        self.forget_what_did_not_happen(round.last_completed_generation, &active);

        let deleted = self.previous.without(&[&configured]);
        let lost = self.previous.without(&[&active, &deleted]).sorted();
        let created = configured.without(&[&self.previous, &active]).sorted();
        let duplicated = Items::in_more_than_one(current.iter().map(|load| &load.items));

        let mut next = current.clone();
        let mut revoked: HashMap<String, Items> = HashMap::new();
        for (load, after) in current.iter().zip(&mut next) {
            let mut unwanted = load.items.hashed_intersection(&deleted);
            unwanted.extend(&load.items.hashed_intersection(&duplicated));
            after.items.remove_all(&unwanted);
            revoked.insert(load.worker.clone(), unwanted);
        }

        let mut new = created;
        new.extend(&self.reassign_lost(&lost, &mut next, round.now_ms));
        if let Some(surplus) = self.balance(&configured, &next, round.now_ms) {
            for (load, surplus) in next.iter_mut().zip(surplus) {
                load.items.remove_all(&surplus);
                revoked.entry(load.worker.clone()).or_default().extend(&surplus);
            }
        }
        assign_to_least_loaded(&mut next, &new);

        self.remember(round, &next, revoked.values(), &lost);
        changes(current, next, revoked)
    }

    /// The time from the last round until all members have to join again, in ms; 0 = no need to.
    pub fn delay_ms(&self) -> i32 {
        self.lost.delay_ms()
    }

    /// Corrects the state after the last assignment was not delivered or the last revocation was not performed.
    fn forget_what_did_not_happen(&mut self, last_completed_generation: i32, active: &Items) {
        if self.previous_generation != last_completed_generation {
            debug!(self.previous_generation, last_completed_generation, "the last assignment did not take effect");
            self.previous = Items::default();
        }
        if active.has_any_of(&self.previous_revocation) {
            self.previous = active.clone();
        }
        self.previous_revocation = Items::default();
    }

    fn reassign_lost(&mut self, lost: &Items, next: &mut [WorkerLoad], now_ms: i64) -> Items {
        if lost.is_empty() && !self.has_revoked_before {
            self.lost.reset();
            return Items::default();
        }
        let outcome = self.lost.handle(lost, next, &self.previous_members, now_ms);
        if outcome.is_delay_over {
            self.has_revoked_before = false;
        }
        outcome.reassign
    }

    /// The items to revoke now so that the load can be balanced. After a round with revocations the next one has to
    /// wait, longer each time.
    fn balance(&mut self, configured: &Items, next: &[WorkerLoad], now_ms: i64) -> Option<Vec<Items>> {
        if self.lost.delay_ms() != 0 {
            self.has_revoked_before = false;
            return None;
        }
        let revocations = load_balancing_revocations(configured, next);
        match (&revocations, self.has_revoked_before) {
            (Some(_), true) => {
                self.successive_revocations = self.successive_revocations.saturating_add(1);
                let delay_ms = self.revocation_backoff.delay_ms(self.successive_revocations);
                if delay_ms != 0 {
                    debug!(delay_ms, "the last round revoked something, too: the next revocation has to wait");
                    self.lost.schedule(i32::try_from(delay_ms).unwrap_or(i32::MAX), now_ms);
                    return None;
                }
            }
            (Some(_), false) => self.has_revoked_before = true,
            (None, true) => {
                self.has_revoked_before = false;
                self.successive_revocations = 0;
            }
            (None, false) => {}
        }
        revocations
    }

    fn remember<'a>(
        &mut self,
        round: &Round<'_>,
        next: &[WorkerLoad],
        revoked: impl IntoIterator<Item = &'a Items>,
        lost: &Items,
    ) {
        self.previous = all(next);
        for revoked in revoked {
            self.previous.remove_all(revoked);
            self.previous_revocation.extend(revoked);
        }
        self.previous.extend(lost);
        self.previous_generation = round.generation;
        self.previous_members = round.members.iter().map(|(member, _)| member.clone()).collect();
    }
}

/// The members in the order in which a Java leader iterates over them.
fn workers(members: &[(String, ConnectorsAndTasks)]) -> Vec<WorkerLoad> {
    let held: HashMap<&str, &ConnectorsAndTasks> =
        members.iter().map(|(member, held)| (member.as_str(), held)).collect();
    let order = hash_map_order(members.iter().map(|(member, _)| member.as_str()));
    order.into_iter().map(|member| WorkerLoad { worker: member.to_owned(), items: Items::from(held[member]) }).collect()
}

fn all(workers: &[WorkerLoad]) -> Items {
    workers.iter().fold(Items::default(), |mut all, load| {
        all.extend(&load.items);
        all
    })
}

fn changes(
    current: Vec<WorkerLoad>,
    next: Vec<WorkerLoad>,
    mut revoked: HashMap<String, Items>,
) -> HashMap<String, MemberAssignment> {
    let before: HashMap<String, Items> = current.into_iter().map(|load| (load.worker, load.items)).collect();
    let change = |load: WorkerLoad| {
        let assigned = before.get(&load.worker).map_or_else(|| load.items.clone(), |held| load.items.without(&[held]));
        let revoked = revoked.remove(&load.worker).unwrap_or_default();
        let assignment =
            MemberAssignment { assigned: assigned.into(), revoked: revoked.into(), held: load.items.into() };
        (load.worker, assignment)
    };
    next.into_iter().map(change).collect()
}
