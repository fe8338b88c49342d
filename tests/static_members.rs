//! Members of a consumer group that have a name of their own (`group.instance.id`, KIP-345): one that goes and comes back keeps its
//! partitions, and nobody else notices.

use std::sync::Arc;
use std::time::Duration;

use volley_api::Error;
use volley_kafka::{FetchSettings, Fetcher, TopicSelection};

use crate::testbed::{Kafka, Rebalances, wait_until};

const SOON: Duration = Duration::from_secs(60);

fn member(kafka: &Kafka, group: &str, topic: &str, client: &str, instance: &str) -> (Fetcher, Arc<Rebalances>) {
    let given = kafka.properties(&[
        ("group.id", group),
        ("group.instance.id", instance),
        ("auto.offset.reset", "earliest"),
        ("heartbeat.interval.ms", "200"),
        // longer than the test: a member that is thought to be dead would be noticed
        ("session.timeout.ms", "300000"),
        ("volley.fetch.client", client),
    ]);
    let settings = FetchSettings {
        topics: TopicSelection::Topics(vec![topic.to_owned()]),
        max_rows: 500,
        max_bytes: 1 << 20,
        linger: Duration::from_millis(20),
    };
    let listener = Rebalances::new();
    (Fetcher::connect(&given, settings, Arc::clone(&listener) as _).unwrap(), listener)
}

fn poll(fetcher: &mut Fetcher) {
    fetcher.poll(Duration::from_millis(20)).unwrap();
}

fn comes_back(client: &str) {
    let kafka = Kafka::shared();
    let (topic, group) = (kafka.topic("static-members", 4), kafka.unique("group"));
    let (mut stays, stayed) = member(kafka, &group, &topic, client, "a");
    let (mut goes, gone) = member(kafka, &group, &topic, client, "b");
    wait_until(SOON, "both have their share", || {
        poll(&mut stays);
        poll(&mut goes);
        (stayed.owned().len() == 2 && gone.owned().len() == 2).then_some(())
    });
    let events = stayed.events().len();
    let share = gone.owned();
    for _ in 0..2 {
        goes.close();
        assert_eq!(kafka.group(&group).map(|(_, members)| members), Some(2), "it keeps its place");
        let (again, back) = member(kafka, &group, &topic, client, "b");
        goes = again;
        wait_until(SOON, "the one that is back has its share", || {
            poll(&mut stays);
            poll(&mut goes);
            (back.owned() == share).then_some(())
        });
    }
    assert_eq!(stayed.events().len(), events, "{:?}", stayed.events());
}

#[test]
fn a_named_member_of_our_own_that_comes_back_keeps_its_partitions_and_nobody_notices() {
    comes_back("native");
}

#[test]
fn a_named_member_of_librdkafka_that_comes_back_keeps_its_partitions_and_nobody_notices() {
    comes_back("librdkafka");
}

fn error_of(fetcher: &mut Fetcher) -> Option<Error> {
    fetcher.poll(Duration::from_millis(20)).err()
}

#[test]
fn of_two_members_with_one_name_the_earlier_one_fails_and_is_told_why() {
    let kafka = Kafka::shared();
    for client in ["native", "librdkafka"] {
        let (topic, group) = (kafka.topic("static-members", 1), kafka.unique("group"));
        let (mut first, listener) = member(kafka, &group, &topic, client, "a");
        wait_until(SOON, "the first has the partition", || {
            poll(&mut first);
            (listener.owned().len() == 1).then_some(())
        });
        let (mut second, listener) = member(kafka, &group, &topic, client, "a");
        let error = wait_until(SOON, "the first has failed", || {
            assert!(error_of(&mut second).is_none());
            error_of(&mut first)
        });
        assert!(error.trace().contains("group.instance.id"), "{client}: {}", error.trace());
        wait_until(SOON, "the second has the partition", || {
            poll(&mut second);
            (listener.owned().len() == 1).then_some(())
        });
    }
}
