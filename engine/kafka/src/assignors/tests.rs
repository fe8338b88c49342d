//! What holds for every group, whatever its members want and own.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use proptest::prelude::*;
use volley_api::TopicPartition;

use super::*;

/// What one member wants (a bit for each topic), and what it says that it owns.
type Drawn = (u8, i32, Vec<(usize, i32)>);

fn topic(number: usize) -> String {
    format!("t{number}")
}

fn group(counts: &[i32], drawn: &[Drawn]) -> (Vec<GroupMate>, PartitionCounts) {
    let counts: PartitionCounts = counts.iter().enumerate().map(|(number, count)| (topic(number), *count)).collect();
    let member = |(place, (wants, generation, owned)): (usize, &Drawn)| GroupMate {
        member_id: format!("m{place}"),
        instance_id: None,
        subscription: Subscription {
            topics: (0..counts.len()).filter(|number| wants >> number & 1 == 1).map(topic).collect(),
            owned: owned.iter().map(|(number, partition)| TopicPartition::new(topic(*number), *partition)).collect(),
            generation: *generation,
            ..Subscription::default()
        },
    };
    (drawn.iter().enumerate().map(member).collect(), counts)
}

fn drawn() -> impl Strategy<Value = (Vec<i32>, Vec<Drawn>)> {
    let owned = prop::collection::vec((0_usize..3, 0..6), 0..8);
    (prop::collection::vec(0..6, 1..4), prop::collection::vec((any::<u8>(), -1..4, owned), 1..6))
}

fn takers(members: &[GroupMate], shares: &Shares) -> BTreeMap<TopicPartition, Vec<String>> {
    let mut takers: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for member in members {
        for partition in &shares[&member.member_id] {
            assert!(member.wants(&partition.topic), "{} gets {partition}, and does not want it", member.member_id);
            takers.entry(partition.clone()).or_default().push(member.member_id.clone());
        }
    }
    takers
}

fn wanted(members: &[GroupMate], counts: &PartitionCounts) -> BTreeSet<TopicPartition> {
    let wanted = counts.iter().filter(|(topic, _)| members.iter().any(|member| member.wants(topic)));
    wanted.flat_map(|(topic, count)| (0..*count).map(|number| TopicPartition::new(topic.as_str(), number))).collect()
}

/// The next round: all members own what they were given.
fn go_on(members: &mut [GroupMate], shares: &Shares, generation: i32) {
    for member in members {
        member.subscription.owned.clone_from(&shares[&member.member_id]);
        member.subscription.generation = generation;
    }
}

fn is_balanced(members: &[GroupMate], shares: &Shares) -> bool {
    let load = |member: &GroupMate| shares[&member.member_id].len();
    members.iter().all(|giver| {
        shares[&giver.member_id].iter().all(|partition| {
            members.iter().filter(|taker| taker.wants(&partition.topic)).all(|taker| load(taker) + 2 > load(giver))
        })
    })
}

proptest! {
    #[test]
    fn every_partition_that_is_wanted_is_given_once((counts, drawn) in drawn()) {
        let (members, counts) = group(&counts, &drawn);
        for assignor in [Assignor::Range, Assignor::RoundRobin] {
            let takers = takers(&members, &assignor.assign(&members, &counts));
            prop_assert!(takers.values().all(|takers| takers.len() == 1));
            prop_assert_eq!(takers.into_keys().collect::<BTreeSet<_>>(), wanted(&members, &counts));
        }
    }

    #[test]
    fn no_partition_is_given_that_another_still_owns_and_the_next_rounds_give_all_once_evenly((counts, drawn) in drawn()) {
        let (mut members, counts) = group(&counts, &drawn);
        let mut shares = Shares::new();
        for generation in 10..16 {
            shares = Assignor::CooperativeSticky.assign(&members, &counts);
            let takers = takers(&members, &shares);
            prop_assert!(takers.values().all(|takers| takers.len() == 1));
            for (partition, taker) in takers {
                let mine = |member: &&GroupMate| member.member_id == taker[0];
                let mate = members.iter().find(mine).unwrap();
                let others = members.iter().filter(|member| member.member_id != taker[0]);
                let theirs = others.filter(|member| member.subscription.owned.contains(&partition));
                let latest = theirs.map(|member| member.subscription.generation).max();
                let keeps = mate.subscription.owned.contains(&partition);
                prop_assert!(latest.is_none_or(|latest| keeps && mate.subscription.generation > latest));
            }
            go_on(&mut members, &shares, generation);
        }
        let takers = takers(&members, &shares);
        prop_assert_eq!(takers.into_keys().collect::<BTreeSet<_>>(), wanted(&members, &counts));
        prop_assert!(is_balanced(&members, &shares));
        let again = Assignor::CooperativeSticky.assign(&members, &counts);
        prop_assert_eq!(shares, again, "something moves without need");
    }

    #[test]
    fn a_member_that_comes_takes_no_more_than_its_share_and_nothing_moves_between_others(
        count in 1..40_i32, mates in 1_usize..6
    ) {
        let (mut members, counts) = group(&[count], &vec![(1, -1, Vec::new()); mates]);
        let before = Assignor::CooperativeSticky.assign(&members, &counts);
        go_on(&mut members, &before, 1);
        let (mut newcomer, _) = group(&[count], &[(1, -1, Vec::new())]);
        newcomer[0].member_id = "new".to_owned();
        members.append(&mut newcomer);
        let first = Assignor::CooperativeSticky.assign(&members, &counts);
        for mate in &members[..mates] {
            let keeps = |partition: &TopicPartition| before[&mate.member_id].contains(partition);
            prop_assert!(first[&mate.member_id].iter().all(keeps));
        }
        go_on(&mut members, &first, 2);
        let second = Assignor::CooperativeSticky.assign(&members, &counts);
        prop_assert!(second["new"].len() <= count as usize / (mates + 1));
        prop_assert!(is_balanced(&members, &second));
    }

    #[test]
    fn no_message_panics(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Subscription::decode(Bytes::from(bytes.clone()));
        let _ = assignment_of(Bytes::from(bytes));
    }
}

#[test]
fn strategies_are_named_as_in_the_protocol() {
    assert_eq!(strategies(None), [Assignor::Range, Assignor::RoundRobin]);
    assert_eq!(strategies(Some("roundrobin")), [Assignor::RoundRobin]);
    assert_eq!(strategies(Some("cooperative-sticky")), [Assignor::CooperativeSticky]);
    assert_eq!(Assignor::named("sticky"), None);
}
