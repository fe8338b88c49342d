//! A consumer that is closed leaves its group at once, in whatever phase of joining it is. Sessions are long here: a member
//! that does not leave by itself stays until the test has failed.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::timeout;
use volley_api::ConfigMap;
use volley_kafka::{FetchSettings, Fetcher, GroupEvent, GroupMember, GroupSettings, TopicSelection};

use crate::testbed::{Kafka, Rebalances, wait_until};

const SOON: Duration = Duration::from_secs(60);
const LONG: &str = "600000";

fn properties(kafka: &Kafka, group: &str) -> ConfigMap {
    kafka.properties(&[
        ("group.id", group),
        ("auto.offset.reset", "earliest"),
        ("session.timeout.ms", LONG),
        ("max.poll.interval.ms", LONG),
        ("heartbeat.interval.ms", "200"),
    ])
}

fn fetcher(properties: &ConfigMap, topic: &str) -> (Fetcher, Arc<Rebalances>) {
    let settings = FetchSettings {
        topics: TopicSelection::Topics(vec![topic.to_owned()]),
        max_rows: 500,
        max_bytes: 1 << 20,
        linger: Duration::from_millis(20),
    };
    let listener = Rebalances::new();
    (Fetcher::connect(properties, settings, Arc::clone(&listener) as _).unwrap(), listener)
}

fn poll(fetcher: &mut Fetcher) {
    fetcher.poll(Duration::from_millis(20)).unwrap();
}

fn await_members(kafka: &Kafka, group: &str, members: usize, mut meanwhile: impl FnMut()) {
    wait_until(SOON, &format!("group {group} has {members} members"), || {
        meanwhile();
        kafka.group(group).filter(|(_, found)| *found == members)
    });
}

#[test]
fn a_consumer_that_waits_for_others_to_join_leaves_at_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("departure", 2);
    let group = kafka.unique("group");
    let (mut first, listener) = fetcher(&properties(kafka, &group), &topic);
    wait_until(SOON, "the first member has all partitions", || {
        poll(&mut first);
        (listener.owned().len() == 2).then_some(())
    });
    // it does not poll, and so it does not join again
    let (mut second, _) = fetcher(&properties(kafka, &group), &topic);
    await_members(kafka, &group, 2, || poll(&mut second));
    second.close();
    await_members(kafka, &group, 1, || {});
    wait_until(SOON, "the group is stable without the second", || {
        poll(&mut first);
        let is_settled = kafka.group(&group) == Some(("Stable".to_owned(), 1));
        (is_settled && listener.owned().len() == 2).then_some(())
    });
}

#[test]
fn a_consumer_that_waits_for_its_assignment_leaves_at_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("departure", 2);
    let group = kafka.unique("group");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let settings = GroupSettings {
        session_timeout: Duration::from_secs(60),
        rebalance_timeout: Duration::from_secs(60),
        heartbeat_interval: Duration::from_millis(200),
        ..GroupSettings::new(&group, "consumer")
    };
    let leader = runtime.block_on(async { GroupMember::start(&kafka.properties(&[]), settings).unwrap() });
    let join = || {
        let joined = async { timeout(SOON, leader.join(vec![("range".to_owned(), Bytes::new())])).await };
        runtime.block_on(joined).expect("an answer").unwrap()
    };
    let alone = join();
    runtime.block_on(leader.sync(vec![(alone.member_id, Bytes::new())])).unwrap();

    let (mut follower, _) = fetcher(&properties(kafka, &group), &topic);
    await_members(kafka, &group, 2, || poll(&mut follower));
    let polled = std::thread::scope(|scope| {
        let joining = scope.spawn(join);
        while !joining.is_finished() {
            poll(&mut follower);
        }
        joining.join().unwrap()
    });
    assert!(polled.is_leader() && polled.members.len() == 2, "{polled:?}");
    // the leader does not say who gets what
    wait_until(SOON, "the follower waits for its assignment", || {
        poll(&mut follower);
        kafka.group(&group).filter(|(state, _)| state == "CompletingRebalance")
    });
    follower.close();
    let told = async { timeout(SOON, leader.next_event()).await.expect("an event") };
    assert!(matches!(runtime.block_on(told), GroupEvent::RebalanceInProgress));
    assert_eq!(join().members.len(), 1);
    runtime.block_on(leader.leave("done"));
}

#[test]
fn consumers_that_are_closed_at_any_moment_leave_an_empty_group() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("departure", 2);
    let group = kafka.unique("group");
    for millis in (0..120).step_by(3) {
        let (mut fetcher, _) = fetcher(&properties(kafka, &group), &topic);
        let until = Instant::now() + Duration::from_millis(millis);
        while Instant::now() < until {
            fetcher.poll(Duration::from_millis(1)).unwrap();
        }
        fetcher.close();
    }
    // one that never was a member does not count; one that is still expected to join does
    let (mut last, listener) = fetcher(&properties(kafka, &group), &topic);
    wait_until(SOON, "the last member has all partitions", || {
        poll(&mut last);
        (listener.owned().len() == 2).then_some(())
    });
    last.close();
    wait_until(SOON, "the group is empty", || kafka.group(&group).filter(|found| *found == ("Empty".to_owned(), 0)));
}
