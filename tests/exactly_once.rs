//! Law 6 and law 1: kill -9 at any moment leaves neither a second copy nor a gap, on disk and in S3.

use std::ops::Range;
use std::time::Duration;

use crate::delivered_rows::{assert_exactly_once, in_bucket, objects, on_disk};
use crate::rounds::rounds;
use crate::testbed::{Kafka, S3, wait_until};
use crate::worker_process::{Volley, parquet_files, request};

pub(crate) const PARTITIONS: i64 = 8;
const PER_PARTITION: i64 = 250_000;
const KILLS: usize = 10;

/// A topic of `PARTITIONS` partitions with records `{"p":…,"n":…,…}`.
pub(crate) fn numbered_topic(kafka: &Kafka, per_partition: i64) -> String {
    let topic = kafka.topic("numbered", PARTITIONS as i32);
    produce_numbered(kafka, &topic, 0..per_partition);
    topic
}

/// Gives each partition of such a topic the records of these numbers.
pub(crate) fn produce_numbered(kafka: &Kafka, topic: &str, numbers: Range<i64>) {
    let count = PARTITIONS * (numbers.end - numbers.start);
    kafka.produce(topic, count as usize, |number, _, value| {
        let (partition, n) = (number as i64 % PARTITIONS, numbers.start + number as i64 / PARTITIONS);
        value.extend_from_slice(format!(r#"{{"p":{partition},"n":{n},"name":"row {n}","flag":true}}"#).as_bytes());
        partition as i32
    });
}

/// Runs the worker and kills it `kills` times, each time after a random number of further files; then lets it drain the rest.
/// `files` counts the complete files, of which there will be some `expected`.
pub(crate) fn drain_with_kills(volley: &Volley, seed: u64, kills: usize, expected: usize, files: impl Fn() -> usize) {
    let mut random = seed;
    let mut counts = vec![files()];
    for kill in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let before = files();
        // of what is left, so that some is left for each kill that comes
        let share = expected.saturating_sub(before) / (kills - kill + 1);
        let more = 1 + (random >> 33) as usize % share.max(1);
        let mut worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
        wait_until(Duration::from_secs(60), "the moment of the kill", || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            (files() >= before + more).then_some(())
        });
        worker.kill();
        counts.push(files());
    }
    println!("files after each kill: {counts:?}");
    drain(volley);
}

/// Lets a worker with `sink.properties` write what is left.
pub(crate) fn drain(volley: &Volley) {
    let sink = std::fs::read_to_string(volley.path("sink.properties")).unwrap();
    std::fs::write(volley.path("sink.properties"), format!("{sink}volley.mode=bounded\n")).unwrap();
    let end =
        volley.run(Duration::from_secs(300), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert!(end.status.success(), "{}", end.log);
}

#[test]
fn killed_at_random_moments_every_offset_is_in_the_files_on_disk_exactly_once() {
    let kafka = Kafka::shared();
    let (factor, per_partition) = (rounds(1), PER_PARTITION * rounds(1) as i64);
    let topic = numbered_topic(kafka, per_partition);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    volley.file(
        "sink.properties",
        &[
            ("name", &format!("disk-{topic}")),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "2"),
            ("topics", &topic),
            ("store.url", &url),
            ("flush.size", "7001"),
            ("rotate.idle.ms", "300"),
        ],
    );
    drain_with_kills(&volley, 7, KILLS * factor, 285 * factor, || parquet_files(&volley.path("out")).len());
    assert_exactly_once(&on_disk(&volley.path("out")), PARTITIONS, per_partition);
}

#[test]
fn killed_at_random_moments_every_offset_is_in_the_objects_of_s3_exactly_once() {
    killed_at_random_moments_every_offset_is_in_the_objects_of(S3::shared());
}

#[test]
fn killed_at_random_moments_every_offset_is_in_the_objects_of_an_s3_on_disk_exactly_once() {
    killed_at_random_moments_every_offset_is_in_the_objects_of(S3::shared_on_disk());
}

fn killed_at_random_moments_every_offset_is_in_the_objects_of(s3: &S3) {
    let kafka = Kafka::shared();
    let (factor, per_partition) = (rounds(1), PER_PARTITION * rounds(1) as i64);
    let topic = numbered_topic(kafka, per_partition);
    s3.create_bucket(&topic);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file(
        "sink.properties",
        &[
            ("name", &format!("s3-{topic}")),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "2"),
            ("topics", &topic),
            ("store.url", &format!("s3://{topic}/lake")),
            ("store.s3.endpoint", &s3.endpoint()),
            ("store.s3.region", S3::REGION),
            ("store.s3.access.key.id", S3::ACCESS_KEY_ID),
            ("store.s3.secret.access.key", S3::SECRET_ACCESS_KEY),
            ("flush.size", "9973"),
            ("rotate.schedule.interval.ms", "1000"),
        ],
    );
    // a quick store has written further files before the worker is dead: there have to be some left at the last kill
    drain_with_kills(&volley, 11, KILLS * factor, 100 * factor, || objects(s3, &topic));
    assert_exactly_once(&in_bucket(s3, &topic), PARTITIONS, per_partition);
}

/// Rows of a partition go to seven directories in turns, so that seven chains are cut off at once.
#[test]
fn killed_at_random_moments_every_offset_is_in_one_directory_of_s3_exactly_once() {
    let (kafka, s3) = (Kafka::shared(), S3::shared());
    let (factor, per_partition) = (rounds(1), PER_PARTITION / 5 * rounds(1) as i64);
    let topic = numbered_topic(kafka, per_partition);
    s3.create_bucket(&topic);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    volley.file(
        "sink.properties",
        &[
            ("name", &format!("s3-{topic}")),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "2"),
            ("topics", &topic),
            ("transforms", "buckets"),
            ("transforms.buckets.type", "Sql"),
            ("transforms.buckets.query", "SELECT *, n % 7 AS bucket FROM records"),
            ("store.url", &format!("s3://{topic}/lake")),
            ("store.s3.endpoint", &s3.endpoint()),
            ("store.s3.region", S3::REGION),
            ("store.s3.access.key.id", S3::ACCESS_KEY_ID),
            ("store.s3.secret.access.key", S3::SECRET_ACCESS_KEY),
            ("format.class", "JsonLines"),
            ("file.compression.type", "gzip"),
            ("partitioner.class", "FieldPartitioner"),
            ("partition.field.name", "bucket"),
            ("flush.size", "1511"),
            ("rotate.schedule.interval.ms", "2000"),
        ],
    );
    drain_with_kills(&volley, 13, KILLS * factor, 200 * factor, || objects(s3, &topic));
    assert_exactly_once(&in_bucket(s3, &topic), PARTITIONS, per_partition);
}

/// Hours of record time, and in each of them two directories.
#[test]
fn killed_at_random_moments_every_offset_is_in_one_directory_on_disk_exactly_once() {
    let kafka = Kafka::shared();
    let (factor, per_partition) = (rounds(1), PER_PARTITION / 2 * rounds(1) as i64);
    let topic = numbered_topic(kafka, per_partition);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    volley.file(
        "sink.properties",
        &[
            ("name", &format!("disk-{topic}")),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "2"),
            ("topics", &topic),
            ("store.url", &url),
            ("partitioner.class", "com.canelmas.kafka.connect.FieldAndTimeBasedPartitioner"),
            ("partition.field.name", "flag"),
            ("timestamp.extractor", "RecordField"),
            ("timestamp.field", "n"),
            ("partition.duration.ms", "10000"),
            ("path.format", "'minute'=mm/'second'=ss"),
            ("flush.size", "3001"),
            ("rotate.idle.ms", "300"),
        ],
    );
    drain_with_kills(&volley, 17, KILLS * factor, 285 * factor, || parquet_files(&volley.path("out")).len());
    assert_exactly_once(&on_disk(&volley.path("out")), PARTITIONS, per_partition);
}

#[test]
fn a_bounded_sink_reads_to_the_end_offsets_and_ends_stopped_with_a_completion() {
    let kafka = Kafka::shared();
    let topic = numbered_topic(kafka, 1_000);
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    volley.file(
        "sink.properties",
        &[
            ("name", &topic),
            ("connector.class", "ObjectStoreSink"),
            ("topics", &topic),
            ("store.url", &url),
            ("volley.mode", "bounded"),
        ],
    );
    let mut worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    let rest = worker.rest();
    let status = wait_until(Duration::from_secs(60), "the connector is STOPPED", || {
        let (_, status) = request(&rest, "GET", &format!("/connectors/{topic}/status"), None);
        (status["connector"]["state"] == "STOPPED").then_some(status)
    });
    assert!(status["completion"].is_object(), "{status}");
    assert_exactly_once(&on_disk(&volley.path("out")), PARTITIONS, 1_000);
    worker.stop(Duration::from_secs(90));
}
