//! Law 6 and law 1 on an S3 server that has bad days: neither a second copy nor a gap, and a task that gives up says why.

use std::time::Duration;

use crate::delivered_rows::{assert_exactly_once, in_bucket, objects};
use crate::exactly_once::{PARTITIONS, drain, numbered_topic, produce_numbered};
use crate::rounds::{kills, rounds};
use crate::testbed::{Fault, FaultyStore, Kafka, S3, wait_until};
use crate::worker_process::{Running, Volley, failures, restart_failed};

const PER_PARTITION: i64 = 10_000;
const SOON: Duration = Duration::from_secs(120);
/// What the worker says about a file that it could not write.
const TRIES_AGAIN: &str = "trying again";

/// A worker with a sink of many small objects; it and its bucket are named after the topic.
fn sink(kafka: &Kafka, topic: &str, endpoint: &str, retry_timeout: &str) -> Volley {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file(
        "sink.properties",
        &[
            ("name", topic),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "2"),
            ("topics", topic),
            ("store.url", &format!("s3://{topic}/lake")),
            ("store.s3.endpoint", endpoint),
            ("store.s3.region", S3::REGION),
            ("store.s3.access.key.id", S3::ACCESS_KEY_ID),
            ("store.s3.secret.access.key", S3::SECRET_ACCESS_KEY),
            ("store.request.timeout.ms", "1000"),
            ("retry.backoff.ms", "50"),
            ("retry.timeout.ms", retry_timeout),
            ("flush.size", "101"),
            ("rotate.idle.ms", "300"),
        ],
    );
    volley
}

fn start(volley: &Volley) -> Running {
    volley.start(&["standalone", "worker.properties", "sink.properties"])
}

/// Waits for an object that is not there yet.
fn wait_for_more(worker: &mut Running, s3: &S3, bucket: &str) {
    let before = objects(s3, bucket);
    wait_until(SOON, "further objects", || {
        assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
        (objects(s3, bucket) > before).then_some(())
    });
}

#[test]
fn in_storms_of_faults_every_offset_is_in_one_object() {
    let (kafka, s3) = (Kafka::shared(), S3::shared_on_disk());
    let store = FaultyStore::before(s3);
    let topic = numbered_topic(kafka, 0);
    s3.create_bucket(&topic);
    let volley = sink(kafka, &topic, &store.endpoint(), "300000");
    let mut produced = 0;
    let storms = kills(Fault::PASSING.len());
    for storm in 0..storms {
        let fault = Fault::PASSING[storm % Fault::PASSING.len()];
        produce_numbered(kafka, &topic, produced..produced + PER_PARTITION / 10);
        produced += PER_PARTITION / 10;
        // also while it starts
        store.strike(50, &[fault]);
        let (mut worker, before) = (start(&volley), store.struck(fault));
        wait_until(SOON, &format!("a storm of {fault:?}"), || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            (store.struck(fault) >= before + 10).then_some(())
        });
        if storm % 2 == 0 {
            store.heal();
            wait_for_more(&mut worker, s3, &topic);
        }
        worker.kill();
    }
    println!("faults: {:?}", Fault::PASSING.map(|fault| (fault, store.struck(fault))));
    store.strike(10, &Fault::PASSING);
    drain(&volley);
    assert_exactly_once(&in_bucket(s3, &topic), PARTITIONS, produced);
}

#[test]
fn a_task_fails_with_what_its_store_goes_on_to_say_and_a_restart_loses_nothing() {
    let (kafka, s3) = (Kafka::shared(), S3::shared_on_disk());
    let store = FaultyStore::before(s3);
    let topic = numbered_topic(kafka, PER_PARTITION / 10);
    s3.create_bucket(&topic);
    let volley = sink(kafka, &topic, &store.endpoint(), "1500");
    let mut worker = start(&volley);
    let rest = worker.rest();
    let mut produced = PER_PARTITION / 10;
    let troubles = [
        (Fault::Denied, "AccessDenied"),
        (Fault::SlowDown, "SlowDown"),
        (Fault::Late, "timed out"),
        (Fault::LostAnswer, "connection"),
    ];
    for _ in 0..rounds(1) {
        for (fault, cause) in troubles {
            wait_for_more(&mut worker, s3, &topic);
            store.strike(100, &[fault]);
            // whatever was written by now, each task has something to write
            produce_numbered(kafka, &topic, produced..produced + PER_PARTITION / 20);
            produced += PER_PARTITION / 20;
            for trace in failures(&rest, &topic, 2) {
                assert!(trace.contains(cause) && trace.contains("`retry.timeout.ms`"), "{fault:?}: {trace}");
                assert!(trace.contains(&format!("s3://{topic}/lake")), "{trace}");
            }
            store.heal();
            restart_failed(&rest, &topic);
        }
    }
    worker.kill();
    drain(&volley);
    assert_exactly_once(&in_bucket(s3, &topic), PARTITIONS, produced);
}

#[test]
fn though_its_s3_server_is_killed_every_offset_is_in_one_object() {
    let (kafka, mut s3) = (Kafka::shared(), S3::start_on_disk());
    let topic = numbered_topic(kafka, 0);
    s3.create_bucket(&topic);
    let volley = sink(kafka, &topic, &s3.endpoint(), "300000");
    let mut produced = 0;
    let mut worker = start(&volley);
    for kill in 0..kills(2) {
        produce_numbered(kafka, &topic, produced..produced + PER_PARTITION / 5);
        produced += PER_PARTITION / 5;
        wait_for_more(&mut worker, &s3, &topic);
        let tried = worker.log().matches(TRIES_AGAIN).count();
        s3.kill();
        wait_until(SOON, "the outage is noticed", || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            (worker.log().matches(TRIES_AGAIN).count() > tried).then_some(())
        });
        if kill % 2 == 1 {
            worker.kill();
            worker = start(&volley);
        }
        s3.restart();
    }
    wait_for_more(&mut worker, &s3, &topic);
    worker.kill();
    drain(&volley);
    assert_exactly_once(&in_bucket(&s3, &topic), PARTITIONS, produced);
}
