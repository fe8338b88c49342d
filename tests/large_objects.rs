//! Objects that are sent in parts: each offset in one of them, whoever is killed, and nothing left of what was given up.

use std::ops::Range;
use std::time::Duration;

use futures::TryStreamExt;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt};

use crate::delivered_rows::{Found, assert_exactly_once, block_on, store};
use crate::exactly_once::drain;
use crate::rounds::kills;
use crate::testbed::{Fault, FaultyStore, Kafka, S3, wait_until};
use crate::worker_process::{Running, Volley};

const PARTITIONS: i64 = 2;
/// Rows of an object: with 8 KB each, more than what is sent at once.
const FILE_ROWS: i64 = 3_000;
const SOON: Duration = Duration::from_secs(120);

/// Gives each partition of the topic further records.
fn produce(kafka: &Kafka, topic: &str, numbers: Range<i64>) {
    let filling = "x".repeat(8_000);
    let count = PARTITIONS * (numbers.end - numbers.start);
    kafka.produce(topic, count as usize, |number, _, value| {
        let (partition, n) = (number as i64 % PARTITIONS, numbers.start + number as i64 / PARTITIONS);
        value.extend_from_slice(format!(r#"{{"p":{partition},"n":{n},"filling":"{filling}"}}"#).as_bytes());
        partition as i32
    });
}

/// A topic with records `{"p":…,"n":…,…}` of 8 KB.
fn large_rows(kafka: &Kafka, per_partition: i64) -> String {
    let topic = kafka.topic("large", PARTITIONS as i32);
    produce(kafka, &topic, 0..per_partition);
    topic
}

fn sink(kafka: &Kafka, topic: &str, endpoint: &str) -> Volley {
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file(
        "sink.properties",
        &[
            ("name", topic),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "1"),
            ("topics", topic),
            ("store.url", &format!("s3://{topic}/lake")),
            ("store.s3.endpoint", endpoint),
            ("store.s3.region", S3::REGION),
            ("store.s3.access.key.id", S3::ACCESS_KEY_ID),
            ("store.s3.secret.access.key", S3::SECRET_ACCESS_KEY),
            ("format.class", "Json"),
            ("file.spool.directory", &volley.path("").display().to_string()),
            ("retry.backoff.ms", "50"),
            ("retry.timeout.ms", "300000"),
            ("flush.size", &FILE_ROWS.to_string()),
        ],
    );
    volley
}

fn start(volley: &Volley) -> Running {
    volley.start(&["standalone", "worker.properties", "sink.properties"])
}

/// Counts the rows of all objects of lines, and their bytes.
fn in_bucket(s3: &S3, bucket: &str) -> (Found, Vec<u64>) {
    let store = store(s3, bucket);
    block_on(async {
        let (mut found, mut sizes) = (Found::new(), Vec::new());
        let objects: Vec<_> = store.list(None).try_collect().await.unwrap();
        for object in objects.iter().filter(|object| object.location.as_ref().ends_with(".json")) {
            let file = store.get(&object.location).await.unwrap().bytes().await.unwrap();
            sizes.push(object.size);
            for line in std::str::from_utf8(&file).unwrap().lines() {
                let (place, _) = line.split_once(r#","filling""#).unwrap();
                let place = place.strip_prefix(r#"{"p":"#).unwrap();
                let (partition, number) = place.split_once(r#","n":"#).unwrap();
                *found.entry((partition.parse().unwrap(), number.parse().unwrap())).or_default() += 1;
            }
        }
        (found, sizes)
    })
}

/// What the server answers to a question about a bucket.
fn ask(s3: &S3, bucket: &str, query: &str) -> String {
    let (key_id, secret_key) = (S3::ACCESS_KEY_ID.to_owned(), S3::SECRET_ACCESS_KEY.to_owned());
    let credential = AwsCredential { key_id, secret_key, token: None };
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.uri_mut() = format!("{}/{bucket}?{query}", s3.endpoint()).parse().unwrap();
    AwsAuthorizer::new(&credential, "s3", S3::REGION).authorize(&mut request, None);
    let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
    let bytes = block_on(async { client.execute(request).await.unwrap().into_body().bytes().await.unwrap() });
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The keys of uploads that have not ended.
fn unfinished(s3: &S3, bucket: &str) -> Vec<String> {
    let listing = ask(s3, bucket, "uploads=");
    assert!(listing.contains("ListMultipartUploadsResult"), "{listing}");
    let keys = listing.split("<Key>").skip(1);
    keys.map(|upload| upload.split_once("</Key>").unwrap().0.to_owned()).collect()
}

#[test]
fn killed_while_it_sends_parts_every_offset_is_in_one_large_object_and_no_part_is_left() {
    let (kafka, s3) = (Kafka::shared(), S3::shared_on_disk());
    let proxy = FaultyStore::before(s3);
    // what fills an object, in two halves: the first of them has the worker ask what the server can do
    let half = FILE_ROWS / 2;
    let topic = large_rows(kafka, half);
    s3.create_bucket(&topic);
    let volley = sink(kafka, &topic, &proxy.endpoint());
    let mut produced = half;
    for kill in 0..kills(4) {
        proxy.heal();
        let mut worker = start(&volley);
        wait_until(SOON, "the server is asked", || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            // the log goes on with each worker
            (worker.log().matches("large objects are sent in parts").count() > kill).then_some(())
        });
        let before = proxy.parts();
        // also while there is trouble
        let faults = [Fault::LostAnswer, Fault::SlowDown, Fault::Reset, Fault::Conflict];
        proxy.strike(if kill % 2 == 0 { 0 } else { 10 }, &faults);
        produce(kafka, &topic, produced..produced + FILE_ROWS);
        produced += FILE_ROWS;
        // an object has three parts
        wait_until(SOON, "parts are sent", || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            (proxy.parts() >= before + 1 + kill % 5).then_some(())
        });
        worker.kill();
    }
    proxy.heal();
    drain(&volley);
    let (found, sizes) = in_bucket(s3, &topic);
    assert_exactly_once(&found, PARTITIONS, produced);
    assert!(sizes.iter().filter(|size| **size > 8 << 20).count() as i64 >= PARTITIONS, "{sizes:?}");
    assert_eq!(unfinished(s3, &topic), Vec::<String>::new());
}

#[test]
fn a_server_that_does_not_look_at_the_condition_gets_each_object_at_once() {
    let (kafka, s3) = (Kafka::shared(), S3::shared_on_disk());
    let proxy = FaultyStore::before(s3);
    proxy.forget_conditions_of_parts();
    let topic = large_rows(kafka, FILE_ROWS + 1);
    s3.create_bucket(&topic);
    let volley = sink(kafka, &topic, &proxy.endpoint());
    let worker = start(&volley);
    wait_until(SOON, "the server is found out", || {
        worker.log().contains("does not look at the condition of an upload in parts").then_some(())
    });
    drop(worker);
    drain(&volley);
    let (found, _) = in_bucket(s3, &topic);
    assert_exactly_once(&found, PARTITIONS, FILE_ROWS + 1);
    assert_eq!(unfinished(s3, &topic), Vec::<String>::new());
}
