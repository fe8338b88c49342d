//! A consumer that is closed leaves its group at once, in whatever phase of joining it is. Sessions are long here: a member
//! that does not leave by itself stays until the test has failed.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use volley_api::{ConfigMap, Offsets, TopicPartition};
use volley_kafka::{FetchSettings, Fetcher, GroupEvent, GroupMember, GroupSettings, Joined, TopicSelection};

use crate::rounds::rounds;
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

/// Its own end and the rebalance have nothing to do with each other, and may wait for each other in many ways.
#[test]
fn a_consumer_that_is_closed_just_when_a_rebalance_begins_comes_to_its_end() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("departure", 2);
    for round in 0..rounds(10) {
        let group = kafka.unique("group");
        let (mut first, listener) = fetcher(&properties(kafka, &group), &topic);
        wait_until(SOON, "the first member has all partitions", || {
            poll(&mut first);
            (listener.owned().len() == 2).then_some(())
        });
        // the first hears of it with its next heartbeat, and does not poll: the close finds the rebalance begun, or about to
        let (mut second, _) = fetcher(&properties(kafka, &group), &topic);
        let joined = Instant::now();
        wait_until(SOON, "the rebalance has begun", || {
            poll(&mut second);
            let has_begun = kafka.group(&group).is_some_and(|(state, _)| state == "PreparingRebalance");
            (has_begun && joined.elapsed() >= Duration::from_millis(40 * (round as u64 % 10))).then_some(())
        });
        let (closed, is_closed) = mpsc::channel();
        std::thread::spawn(move || {
            first.close();
            closed.send(()).unwrap();
        });
        wait_until(SOON, "the first is closed", || is_closed.try_recv().ok());
        await_members(kafka, &group, 1, || poll(&mut second));
    }
}

/// A member of a consumer group that does what the test says, and nothing else.
struct Puppet {
    runtime: Runtime,
    member: GroupMember,
    protocol: &'static str,
}

impl Puppet {
    fn new(kafka: &Kafka, group: &str, protocol: &'static str) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let settings = GroupSettings {
            session_timeout: Duration::from_secs(60),
            rebalance_timeout: Duration::from_secs(60),
            heartbeat_interval: Duration::from_millis(200),
            ..GroupSettings::new(group, "consumer")
        };
        let member = runtime.block_on(async { GroupMember::start(&kafka.properties(&[]), settings).unwrap() });
        Self { runtime, member, protocol }
    }

    fn join(&self) -> Joined {
        let joined = async { timeout(SOON, self.member.join(vec![(self.protocol.to_owned(), Bytes::new())])).await };
        self.runtime.block_on(joined).expect("an answer").unwrap()
    }

    /// Says as the leader who gets what.
    fn sync(&self, assignments: Vec<(String, Bytes)>) {
        self.runtime.block_on(self.member.sync(assignments)).unwrap();
    }

    fn join_alone(&self) {
        let alone = self.join();
        self.sync(vec![(alone.member_id, Bytes::new())]);
    }

    /// Joins as the leader, while a fetcher does too.
    fn join_beside(&self, other: &mut Fetcher) -> Joined {
        let joined = std::thread::scope(|scope| {
            let joining = scope.spawn(|| self.join());
            while !joining.is_finished() {
                poll(other);
            }
            joining.join().unwrap()
        });
        assert!(joined.is_leader() && joined.members.len() == 2, "{joined:?}");
        joined
    }

    fn await_rebalance(&self) {
        let told = async { timeout(SOON, self.member.next_event()).await.expect("an event") };
        assert!(matches!(self.runtime.block_on(told), GroupEvent::RebalanceInProgress));
    }
}

/// The first two partitions of a topic, as the leader of a consumer group gives them to a member.
fn two_partitions(topic: &str) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1];
    bytes.extend((topic.len() as i16).to_be_bytes());
    bytes.extend(topic.as_bytes());
    bytes.extend([2, 0, 1, -1].map(i32::to_be_bytes).concat());
    bytes.into()
}

#[test]
fn a_commit_that_waits_until_others_have_joined_ends_when_the_consumer_is_closed() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("departure", 2);
    let group = kafka.unique("group");
    let leader = Puppet::new(kafka, &group, "cooperative-sticky");
    leader.join_alone();
    let mut given = properties(kafka, &group);
    given.insert("partition.assignment.strategy".to_owned(), "cooperative-sticky".to_owned());
    let (mut follower, listener) = fetcher(&given, &topic);
    await_members(kafka, &group, 2, || poll(&mut follower));
    let joined = leader.join_beside(&mut follower);
    let assignment = |id: &String| if *id == joined.member_id { Bytes::new() } else { two_partitions(&topic) };
    leader.sync(joined.members.iter().map(|(id, _)| (id.clone(), assignment(id))).collect());
    wait_until(SOON, "the follower has its partitions", || {
        poll(&mut follower);
        (listener.owned().len() == 2).then_some(())
    });
    // from now on the follower, which keeps its partitions, waits for the leader to join
    let third = Puppet::new(kafka, &group, "cooperative-sticky");
    std::thread::scope(|scope| {
        let joining = scope.spawn(|| third.join());
        leader.await_rebalance();
        await_members(kafka, &group, 3, || poll(&mut follower));
        // several heartbeats, with the first of which it joins again
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            poll(&mut follower);
        }
        assert_eq!(listener.owned().len(), 2);
        let committer = follower.committer();
        let offsets = Offsets::from([(TopicPartition::new(topic.as_str(), 0), 0)]);
        let (begins, has_begun) = mpsc::channel();
        let commit = scope.spawn(move || {
            begins.send(()).unwrap();
            committer.commit(&offsets)
        });
        has_begun.recv().unwrap();
        drop(follower);
        // that of our own member waits for nobody: it may have been answered before
        if let Err(error) = commit.join().unwrap() {
            assert!(error.is_retriable(), "{error:?}");
        }
        await_members(kafka, &group, 2, || {});
        assert_eq!(leader.join().members.len(), 2);
        joining.join().unwrap();
    });
}

#[test]
fn a_consumer_that_waits_for_its_assignment_leaves_at_once() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("departure", 2);
    let group = kafka.unique("group");
    let leader = Puppet::new(kafka, &group, "range");
    leader.join_alone();
    let (mut follower, _) = fetcher(&properties(kafka, &group), &topic);
    await_members(kafka, &group, 2, || poll(&mut follower));
    leader.join_beside(&mut follower);
    // the leader does not say who gets what
    wait_until(SOON, "the follower waits for its assignment", || {
        poll(&mut follower);
        kafka.group(&group).filter(|(state, _)| state == "CompletingRebalance")
    });
    follower.close();
    leader.await_rebalance();
    assert_eq!(leader.join().members.len(), 1);
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
