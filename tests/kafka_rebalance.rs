//! Two fetchers in one group: nothing is lost or repeated while partitions move, in either protocol.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::{ConfigMap, TopicPartition};
use volley_kafka::{FetchSettings, Fetcher, TopicSelection};

use crate::testbed::{Kafka, Rebalance, Rebalances, wait_until};

const SOON: Duration = Duration::from_secs(60);

struct Member {
    fetcher: Fetcher,
    listener: Arc<Rebalances>,
}

impl Member {
    fn join(properties: &ConfigMap, topic: &str) -> Self {
        let settings = FetchSettings {
            topics: TopicSelection::Topics(vec![topic.to_owned()]),
            max_rows: 500,
            max_bytes: 1 << 20,
            linger: Duration::from_millis(20),
        };
        let listener = Rebalances::new();
        let fetcher = Fetcher::connect(properties, settings, Arc::clone(&listener) as _).unwrap();
        listener.commit_with(fetcher.committer());
        Self { fetcher, listener }
    }

    /// Takes batches and counts each row; what is taken counts as delivered.
    fn work(&mut self, counts: &mut BTreeMap<(i32, i64), u32>) {
        for batch in self.fetcher.poll(Duration::from_millis(50)).unwrap() {
            assert!(self.listener.owned().contains(&batch.origin.partition), "a batch of a partition not owned");
            for offset in batch.origin.offsets.iter() {
                *counts.entry((batch.origin.partition.partition, *offset)).or_default() += 1;
            }
            self.listener.delivered(&batch.origin.partition, batch.origin.range.end);
        }
    }
}

fn moves_partitions_without_loss_or_repetition(assignor: &str) {
    let kafka = Kafka::shared();
    let topic = kafka.topic("rebalance", 6);
    kafka.produce(&topic, 60_000, |n, _, value| {
        value.extend_from_slice(n.to_string().as_bytes());
        (n % 6) as i32
    });
    let group = kafka.unique("group");
    let properties = kafka.properties(&[
        ("group.id", &group),
        ("auto.offset.reset", "earliest"),
        ("partition.assignment.strategy", assignor),
        ("heartbeat.interval.ms", "200"),
    ]);
    let mut counts = BTreeMap::new();
    let mut first = Member::join(&properties, &topic);
    wait_until(SOON, "the first member has some rows", || {
        first.work(&mut counts);
        (counts.len() >= 5_000).then_some(())
    });
    assert_eq!(first.listener.owned().len(), 6);

    let mut second = Member::join(&properties, &topic);
    wait_until(SOON, "the members share the partitions", || {
        first.work(&mut counts);
        second.work(&mut counts);
        (first.listener.owned().len() == 3 && second.listener.owned().len() == 3).then_some(())
    });
    let before = counts.len();
    wait_until(SOON, "both work on", || {
        first.work(&mut counts);
        second.work(&mut counts);
        (counts.len() >= before + 5_000).then_some(())
    });

    let Member { fetcher, listener } = first;
    fetcher.close();
    assert!(listener.owned().is_empty());
    assert!(matches!(listener.events().last(), Some(Rebalance::Revoked(partitions)) if partitions.len() == 3));

    let deadline = Instant::now() + SOON;
    while counts.len() < 60_000 {
        assert!(Instant::now() < deadline, "only {} of 60000 rows came", counts.len());
        second.work(&mut counts);
    }
    assert_eq!(second.listener.owned().len(), 6);
    let repeated = counts.values().filter(|count| **count > 1).count();
    assert_eq!(repeated, 0, "rows came more than once");
}

#[test]
fn eager_rebalances_lose_and_repeat_nothing() {
    moves_partitions_without_loss_or_repetition("org.apache.kafka.clients.consumer.RangeAssignor");
}

#[test]
fn cooperative_rebalances_lose_and_repeat_nothing() {
    moves_partitions_without_loss_or_repetition("org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
}

#[test]
fn rebalances_of_the_consumer_protocol_lose_and_repeat_nothing() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("kip848", 4);
    kafka.produce(&topic, 20_000, |n, _, value| {
        value.extend_from_slice(n.to_string().as_bytes());
        (n % 4) as i32
    });
    let group = kafka.unique("group");
    let properties =
        kafka.properties(&[("group.id", &group), ("auto.offset.reset", "earliest"), ("group.protocol", "CONSUMER")]);
    let mut counts = BTreeMap::new();
    let mut first = Member::join(&properties, &topic);
    wait_until(SOON, "the first member has some rows", || {
        first.work(&mut counts);
        (counts.len() >= 2_000).then_some(())
    });
    let mut second = Member::join(&properties, &topic);
    wait_until(SOON, "the members share the partitions and have all rows", || {
        first.work(&mut counts);
        second.work(&mut counts);
        let shared = first.listener.owned().len() == 2 && second.listener.owned().len() == 2;
        (shared && counts.len() == 20_000).then_some(())
    });
    assert!(counts.values().all(|count| *count == 1), "rows came more than once");
}

#[test]
fn cooperative_members_keep_what_does_not_move() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("keep", 4);
    let group = kafka.unique("group");
    let properties = kafka.properties(&[
        ("group.id", &group),
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("heartbeat.interval.ms", "200"),
    ]);
    let mut counts = BTreeMap::new();
    let mut first = Member::join(&properties, &topic);
    wait_until(SOON, "the first member has all partitions", || {
        first.work(&mut counts);
        (first.listener.owned().len() == 4).then_some(())
    });
    let mut second = Member::join(&properties, &topic);
    wait_until(SOON, "the members share the partitions", || {
        first.work(&mut counts);
        second.work(&mut counts);
        (first.listener.owned().len() == 2 && second.listener.owned().len() == 2).then_some(())
    });
    let revoked: Vec<TopicPartition> = first
        .listener
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Rebalance::Revoked(partitions) => Some(partitions),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(revoked.len(), 2, "{revoked:?}");
}

#[test]
fn a_commit_of_partitions_that_moved_is_retriable() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("stale", 1);
    let group = kafka.unique("group");
    let properties = kafka.properties(&[
        ("group.id", &group),
        ("auto.offset.reset", "earliest"),
        ("session.timeout.ms", "1000"),
        ("heartbeat.interval.ms", "200"),
        ("max.poll.interval.ms", "1000"),
    ]);
    let mut counts = BTreeMap::new();
    let mut sleeper = Member::join(&properties, &topic);
    wait_until(SOON, "the first member has the partition", || {
        sleeper.work(&mut counts);
        (sleeper.listener.owned().len() == 1).then_some(())
    });
    // The first member polls no more: the group goes on without it.
    let mut second = Member::join(&properties, &topic);
    wait_until(SOON, "the second member has the partition", || {
        second.work(&mut counts);
        (second.listener.owned().len() == 1).then_some(())
    });
    let partition = TopicPartition::new(topic.as_str(), 0);
    let error = sleeper.fetcher.committer().commit(&[(partition.clone(), 1)].into()).unwrap_err();
    assert!(error.is_retriable(), "{error:?}");
    wait_until(SOON, "the first member learns of its loss", || {
        sleeper.work(&mut counts);
        second.work(&mut counts);
        let events = sleeper.listener.events();
        assert!(!events.iter().any(|event| matches!(event, Rebalance::Revoked(_))), "{events:?}");
        events.contains(&Rebalance::Lost(vec![partition.clone()])).then_some(())
    });
}

/// What is polled and not used up is worth no place in the group: `max.poll.interval.ms`.
#[test]
fn a_consumer_that_is_held_up_loses_its_partitions_though_it_polls_and_gets_some_again_when_it_is_not() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("held-up", 2);
    let group = kafka.unique("group");
    let properties = kafka.properties(&[
        ("group.id", &group),
        ("auto.offset.reset", "earliest"),
        ("max.poll.interval.ms", "2000"),
        ("heartbeat.interval.ms", "200"),
        ("volley.fetch.client", "native"),
    ]);
    let mut counts = BTreeMap::new();
    let mut members = [Member::join(&properties, &topic), Member::join(&properties, &topic)];
    let mut await_share = |members: &mut [Member; 2], share: [usize; 2]| {
        wait_until(SOON, &format!("shares are {share:?}"), || {
            members.iter_mut().for_each(|member| member.work(&mut counts));
            (members.each_ref().map(|member| member.listener.owned().len()) == share).then_some(())
        });
    };
    await_share(&mut members, [1, 1]);
    members[0].fetcher.held_up(true);
    await_share(&mut members, [0, 2]);
    assert!(members[0].listener.events().iter().any(|event| matches!(event, Rebalance::Lost(_))));
    members[0].fetcher.held_up(false);
    await_share(&mut members, [1, 1]);
}
