//! Properties of the incremental assignor, tested with random histories of groups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::prelude::*;

use super::{ConnectorsAndTasks, IncrementalCooperativeAssignor, MemberAssignment, Round, assign_eagerly};
use crate::connector_task_id::ConnectorTaskId;

/// Maximum number of rounds until a group is stable: a few for the last event, and the back-off of revocations.
const MOST_ROUNDS: usize = 12;

#[derive(Clone, Debug)]
enum Event {
    Join,
    Leave(prop::sample::Index),
    /// A member loses its work, and comes back under a new id.
    Bounce(prop::sample::Index),
    Configure(u8, u8),
    Remove(u8),
    Wait(i64),
    /// The leader leaves; the next one has no state.
    NewLeader,
    /// No member receives this round's assignment.
    LoseRound,
    /// One member does not receive it.
    MissRound(prop::sample::Index),
    /// A member holds an item that another one holds, too.
    Duplicate(prop::sample::Index, prop::sample::Index),
    Nothing,
}

fn event() -> impl Strategy<Value = Event> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => Just(Event::Join),
        2 => index().prop_map(Event::Leave),
        2 => index().prop_map(Event::Bounce),
        4 => (0u8..6, 0u8..9).prop_map(|(connector, tasks)| Event::Configure(connector, tasks)),
        1 => (0u8..6).prop_map(Event::Remove),
        3 => (0i64..400_000).prop_map(Event::Wait),
        1 => Just(Event::NewLeader),
        1 => Just(Event::LoseRound),
        1 => index().prop_map(Event::MissRound),
        1 => (index(), index()).prop_map(|(of, with)| Event::Duplicate(of, with)),
        2 => Just(Event::Nothing),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Connector(String),
    Task(ConnectorTaskId),
}

fn items(held: &ConnectorsAndTasks) -> Vec<Item> {
    let connectors = held.connectors.iter().cloned().map(Item::Connector);
    connectors.chain(held.tasks.iter().cloned().map(Item::Task)).collect()
}

struct Group {
    assignor: IncrementalCooperativeAssignor,
    max_delay_ms: i32,
    members: BTreeMap<String, ConnectorsAndTasks>,
    connectors: BTreeMap<String, usize>,
    next_id: usize,
    now_ms: i64,
    generation: i32,
    last_completed_generation: i32,
}

impl Group {
    fn new(max_delay_ms: i32) -> Self {
        let assignor = IncrementalCooperativeAssignor::new(max_delay_ms);
        let mut group = Self {
            assignor,
            max_delay_ms,
            members: BTreeMap::new(),
            connectors: BTreeMap::new(),
            next_id: 0,
            now_ms: 1_000_000,
            generation: 0,
            last_completed_generation: -1,
        };
        group.join();
        group
    }

    fn join(&mut self) -> String {
        self.next_id += 1;
        let id = format!("worker-{}-{:x}", self.next_id, self.next_id.wrapping_mul(0x9E37_79B9));
        self.members.insert(id.clone(), ConnectorsAndTasks::default());
        id
    }

    fn id(&self, index: &prop::sample::Index) -> String {
        self.members.keys().nth(index.index(self.members.len())).unwrap().clone()
    }

    fn configured(&self) -> ConnectorsAndTasks {
        let tasks = self.connectors.iter().flat_map(|(connector, tasks)| {
            (0..*tasks).map(|task| ConnectorTaskId { connector: connector.clone(), task })
        });
        ConnectorsAndTasks { connectors: self.connectors.keys().cloned().collect(), tasks: tasks.collect() }
    }

    /// Applies an event, and then rebalances.
    fn live_through(&mut self, event: &Event) {
        let (mut missing, mut is_lost) = (None, false);
        match event {
            Event::Join => {
                self.join();
            }
            Event::Leave(index) if self.members.len() > 1 => {
                self.members.remove(&self.id(index));
            }
            Event::Bounce(index) => {
                self.members.remove(&self.id(index));
                self.join();
            }
            Event::Configure(connector, tasks) => {
                self.connectors.insert(format!("c{connector}"), (*tasks).into());
            }
            Event::Remove(connector) => {
                self.connectors.remove(&format!("c{connector}"));
            }
            Event::Wait(ms) => self.now_ms += ms,
            Event::NewLeader => {
                self.assignor = IncrementalCooperativeAssignor::new(self.max_delay_ms);
            }
            Event::LoseRound => is_lost = true,
            Event::MissRound(index) => missing = Some(self.id(index)),
            Event::Duplicate(of, with) => {
                let copy = self.members[&self.id(of)].clone();
                let held = self.members.get_mut(&self.id(with)).unwrap();
                held.connectors.extend(
                    copy.connectors.into_iter().take(1).filter(|it| !held.connectors.contains(it)).collect::<Vec<_>>(),
                );
                held.tasks
                    .extend(copy.tasks.into_iter().take(2).filter(|it| !held.tasks.contains(it)).collect::<Vec<_>>());
            }
            Event::Leave(_) | Event::Nothing => {}
        }
        let changes = self.decide();
        if !is_lost {
            self.last_completed_generation = self.generation;
            let takers = changes.iter().filter(|(member, _)| Some(*member) != missing.as_ref());
            takers.for_each(|(member, change)| self.take(member, change));
        }
    }

    /// One round; checks the properties of each round.
    fn decide(&mut self) -> HashMap<String, MemberAssignment> {
        self.generation += 1;
        let members: Vec<_> = self.members.iter().map(|(id, held)| (id.clone(), held.clone())).collect();
        let changes = self.assignor.assign(&Round {
            configured: &self.configured(),
            members: &members,
            last_completed_generation: self.last_completed_generation,
            generation: self.generation,
            now_ms: self.now_ms,
        });
        let active: BTreeSet<Item> = self.members.values().flat_map(items).collect();
        let mut assigned = BTreeSet::new();
        for (member, change) in &changes {
            for item in items(&change.assigned) {
                assert!(!active.contains(&item), "{item:?} is given to {member} while somebody runs it");
                assert!(assigned.insert(item.clone()), "{item:?} is given to two members");
            }
            // A revoked item may be one that the member does not run: a lost item that was about to be assigned to it.
            let revoked = items(&change.revoked);
            assert!(items(&change.assigned).iter().all(|item| !revoked.contains(item)), "{member}: stop, or start?");
        }
        let delay = self.assignor.delay_ms();
        assert!((0..=self.max_delay_ms).contains(&delay), "the delay is {delay}");
        changes
    }

    fn take(&mut self, member: &str, change: &MemberAssignment) {
        let held = self.members.get_mut(member).unwrap();
        held.connectors.retain(|connector| !change.revoked.connectors.contains(connector));
        held.tasks.retain(|task| !change.revoked.tasks.contains(task));
        held.connectors.splice(0..0, change.assigned.connectors.iter().cloned());
        held.tasks.splice(0..0, change.assigned.tasks.iter().cloned());
        assert_eq!(sorted(items(held)), sorted(items(&change.held)), "the leader knows what {member} runs");
    }

    /// Rebalances for as long as the group itself requests more: at once after revocations, otherwise after the delay.
    /// Returns the number of rounds until it was stable.
    fn come_to_rest(&mut self) -> usize {
        for round in 1..=MOST_ROUNDS {
            let changes = self.decide();
            self.last_completed_generation = self.generation;
            changes.iter().for_each(|(member, change)| self.take(member, change));
            let delay = i64::from(self.assignor.delay_ms());
            let revokes = changes.values().any(|change| !change.revoked.is_empty());
            if !revokes && delay == 0 && !self.runs_what_is_deleted() {
                return round;
            }
            if !revokes {
                self.now_ms += delay;
            }
        }
        panic!("still no rest after {MOST_ROUNDS} rounds: {:?}", self.members);
    }

    fn runs_what_is_deleted(&self) -> bool {
        let configured = items(&self.configured());
        self.members.values().flat_map(items).any(|item| !configured.contains(&item))
    }

    fn check_rest(&self) {
        let held: Vec<Item> = self.members.values().flat_map(items).collect();
        assert_eq!(sorted(held), sorted(items(&self.configured())), "everything runs, and once");
        check_balance(self.members.values());
    }
}

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort();
    items
}

fn check_balance<'a>(members: impl IntoIterator<Item = &'a ConnectorsAndTasks>) {
    let (connectors, tasks): (Vec<_>, Vec<_>) =
        members.into_iter().map(|held| (held.connectors.len(), held.tasks.len())).unzip();
    for sizes in [connectors, tasks] {
        assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "unbalanced: {sizes:?}");
    }
}

fn delays() -> impl Strategy<Value = i32> {
    prop_oneof![Just(300_000), Just(60_000), Just(1_000), Just(1), Just(0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn after_any_life_everything_runs_once_and_the_load_is_even(
        max_delay_ms in delays(),
        events in prop::collection::vec(event(), 0..30),
    ) {
        let mut group = Group::new(max_delay_ms);
        for event in &events {
            group.live_through(event);
        }
        group.come_to_rest();
        group.check_rest();
    }

    #[test]
    fn a_group_at_rest_stays_at_rest(events in prop::collection::vec(event(), 0..20)) {
        let mut group = Group::new(60_000);
        events.iter().for_each(|event| group.live_through(event));
        group.come_to_rest();
        let before = group.members.clone();
        prop_assert_eq!(group.come_to_rest(), 1);
        prop_assert_eq!(before, group.members);
    }

    #[test]
    fn a_worker_that_is_back_within_the_delay_has_its_own_again_and_nobody_else_notices(
        workers in 2usize..6,
        tasks in prop::collection::vec(0u8..9, 1..6),
        gone in any::<prop::sample::Index>(),
        away_ms in 0i64..60_000,
    ) {
        let mut group = Group::new(60_000);
        for (connector, tasks) in tasks.iter().enumerate() {
            group.live_through(&Event::Configure(connector as u8, *tasks));
        }
        (1..workers).for_each(|_| group.live_through(&Event::Join));
        group.come_to_rest();
        prop_assume!(group.members.values().all(|held| !items(held).is_empty()));
        let leaver = group.id(&gone);
        let lost = group.members[&leaver].clone();
        let others: BTreeMap<_, _> =
            group.members.iter().filter(|(id, _)| **id != leaver).map(|(id, held)| (id.clone(), held.clone())).collect();
        group.live_through(&Event::Leave(gone));
        prop_assert_eq!(&group.members, &others);
        group.now_ms += away_ms;
        let back = group.join();
        group.come_to_rest();
        prop_assert_eq!(sorted(items(&group.members[&back])), sorted(items(&lost)));
        group.members.remove(&back);
        prop_assert_eq!(&group.members, &others);
    }

    #[test]
    fn what_a_lost_worker_ran_is_given_away_when_the_delay_is_over_and_not_before(
        workers in 2usize..6,
        tasks in prop::collection::vec(1u8..9, 1..6),
        gone in any::<prop::sample::Index>(),
        times in prop::collection::vec(1i64..59_999, 0..4),
    ) {
        let mut group = Group::new(60_000);
        for (connector, tasks) in tasks.iter().enumerate() {
            group.live_through(&Event::Configure(connector as u8, *tasks));
        }
        (1..workers).for_each(|_| group.live_through(&Event::Join));
        group.come_to_rest();
        prop_assume!(!items(&group.members[&group.id(&gone)]).is_empty());
        let (start, others) = (group.now_ms, group.members.len() - 1);
        group.live_through(&Event::Leave(gone));
        let waiting = group.members.clone();
        for time in sorted_times(times) {
            group.now_ms = start + time;
            group.live_through(&Event::Nothing);
            prop_assert_eq!(i64::from(group.assignor.delay_ms()), 60_000 - time);
            prop_assert_eq!(&group.members, &waiting);
        }
        group.now_ms = start + 60_000;
        group.live_through(&Event::Nothing);
        prop_assert_eq!(group.members.len(), others);
        let held: Vec<Item> = group.members.values().flat_map(items).collect();
        prop_assert_eq!(sorted(held), sorted(items(&group.configured())));
    }

    #[test]
    fn eager_assignments_are_whole_even_and_the_same_in_any_order(
        tasks in prop::collection::vec(0usize..9, 0..9),
        members in prop::collection::btree_set("[a-z]{1,4}", 1..6),
    ) {
        let mut group = Group::new(0);
        group.connectors = tasks.iter().enumerate().map(|(connector, tasks)| (format!("c{connector}"), *tasks)).collect();
        let configured = group.configured();
        let hands = assign_eagerly(&configured, members.iter().map(String::as_str));
        prop_assert_eq!(hands.len(), members.len());
        prop_assert_eq!(sorted(hands.values().flat_map(items).collect()), sorted(items(&configured)));
        check_balance(hands.values());
        let reversed = ConnectorsAndTasks {
            connectors: configured.connectors.into_iter().rev().collect(),
            tasks: configured.tasks.into_iter().rev().collect(),
        };
        prop_assert_eq!(assign_eagerly(&reversed, members.iter().rev().map(String::as_str)), hands);
    }
}

fn sorted_times(mut times: Vec<i64>) -> Vec<i64> {
    times.sort_unstable();
    times
}
