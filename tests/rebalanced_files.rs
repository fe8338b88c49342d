//! Law 6 and law 1 in a group of two workers that come, go, are killed and fall asleep: neither a second copy nor a gap,
//! whatever directories rows go to and whenever files are completed.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::delivered_rows::{Found, assert_exactly_once, in_bucket, objects, on_disk};
use crate::exactly_once::{PARTITIONS, numbered_topic, produce_numbered};
use crate::rounds::kills;
use crate::testbed::{Fault, FaultyStore, Kafka, S3, Vendor, wait_until};
use crate::worker_group::WorkerGroup;
use crate::worker_process::parquet_files;

const SOON: Duration = Duration::from_secs(120);
/// What comes to each partition before each event.
const MORE: i64 = 3_000;
const PORTIONS: i64 = 10;

/// What befalls a worker, or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// SIGKILL, and a new start.
    Killed(usize),
    /// A stop in order, and a new start.
    Stopped(usize),
    /// It stands still until the other one has written everything, and does not know.
    Asleep(usize),
    /// SIGKILL of the S3 server, and a new start.
    StoreKilled,
}

const EVENTS: [Event; 7] = [
    Event::Killed(1),
    Event::Asleep(0),
    Event::StoreKilled,
    Event::Asleep(1),
    Event::Stopped(0),
    Event::Killed(0),
    Event::Stopped(1),
];
const FEW: usize = 4;

/// A sink, and where its files are.
struct Sink {
    name: String,
    config: Value,
    place: Place,
}

enum Place {
    /// The bucket of the sink's name in the S3 server that all tests share.
    SharedS3,
    /// The same in one of our own.
    OwnS3,
    Directory(tempfile::TempDir),
}

fn config(topic: &str, more: &[(&str, &str)]) -> Value {
    let mut config = json!({
        "connector.class": "ObjectStoreSink",
        "tasks.max": "2",
        "topics": topic,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "rotate.idle.ms": "1000",
    });
    for (key, value) in more {
        config[key] = json!(value);
    }
    config
}

fn in_s3(name: String, endpoint: &str, topic: &str, place: Place, more: &[(&str, &str)]) -> Sink {
    let url = format!("s3://{name}/lake");
    let mut keys = vec![
        ("store.url", url.as_str()),
        ("store.s3.endpoint", endpoint),
        ("store.s3.region", S3::REGION),
        ("store.s3.access.key.id", S3::ACCESS_KEY_ID),
        ("store.s3.secret.access.key", S3::SECRET_ACCESS_KEY),
        ("store.request.timeout.ms", "2000"),
    ];
    keys.extend_from_slice(more);
    Sink { config: config(topic, &keys), name, place }
}

fn in_directory(name: String, topic: &str, more: &[(&str, &str)]) -> Sink {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(topic, more);
    config["store.url"] = json!(format!("file://{}", directory.path().display()));
    Sink { name, config, place: Place::Directory(directory) }
}

/// By value and rows in one S3, by time and record time on disk, by both and the clock in another S3, which has faults.
fn sinks(kafka: &Kafka, topic: &str, own: &S3, faulty: &FaultyStore) -> [Sink; 3] {
    let by_value = [
        ("transforms", "buckets"),
        ("transforms.buckets.type", "Sql"),
        ("transforms.buckets.query", "SELECT *, n % 3 AS bucket FROM records"),
        ("format.class", "JsonLines"),
        ("file.compression.type", "gzip"),
        ("partitioner.class", "FieldPartitioner"),
        ("partition.field.name", "bucket"),
        ("flush.size", "307"),
    ];
    let by_time = [
        ("partitioner.class", "TimeBasedPartitioner"),
        ("timestamp.extractor", "RecordField"),
        ("timestamp.field", "n"),
        ("partition.duration.ms", "1000"),
        ("path.format", "'minute'=mm/'second'=ss"),
        ("timezone", "UTC"),
        ("rotate.interval.ms", "150"),
    ];
    let by_both = [
        ("partitioner.class", "com.canelmas.kafka.connect.FieldAndTimeBasedPartitioner"),
        ("partition.field.name", "flag"),
        ("timestamp.extractor", "RecordField"),
        ("timestamp.field", "n"),
        ("partition.duration.ms", "2000"),
        ("path.format", "'minute'=mm/'second'=ss"),
        ("timezone", "UTC"),
        ("rotate.schedule.interval.ms", "50"),
    ];
    let shared = S3::shared_on_disk();
    let [value, both] = [kafka.unique("by-value"), kafka.unique("by-both")];
    shared.create_bucket(&value);
    own.create_bucket(&both);
    [
        in_s3(value, &shared.endpoint(), topic, Place::SharedS3, &by_value),
        in_directory(kafka.unique("by-time"), topic, &by_time),
        in_s3(both, &faulty.endpoint(), topic, Place::OwnS3, &by_both),
    ]
}

/// The workers and what they write.
struct Writers<'a> {
    kafka: &'a Kafka,
    topic: String,
    /// The end of each partition.
    end: i64,
    group: WorkerGroup,
    own: S3,
    faulty: FaultyStore,
    sinks: [Sink; 3],
}

impl<'a> Writers<'a> {
    /// One worker, and nothing to write.
    fn start(kafka: &'a Kafka) -> Self {
        let topic = numbered_topic(kafka, 0);
        let own = S3::start_on_disk();
        let faulty = FaultyStore::before(&own);
        let sinks = sinks(kafka, &topic, &own, &faulty);
        let mut group = WorkerGroup::new(kafka, "rebalanced-files");
        group.add(&[Vendor::Volley]);
        for sink in &sinks {
            group.put(0, &sink.name, &sink.config);
        }
        Self { kafka, topic, end: 0, group, own, faulty, sinks }
    }

    fn files(&self, sink: &Sink) -> usize {
        match &sink.place {
            Place::SharedS3 => objects(S3::shared_on_disk(), &sink.name),
            Place::OwnS3 => objects(&self.own, &sink.name),
            Place::Directory(directory) => parquet_files(directory.path()).len(),
        }
    }

    fn found(&self, sink: &Sink) -> Found {
        match &sink.place {
            Place::SharedS3 => in_bucket(S3::shared_on_disk(), &sink.name),
            Place::OwnS3 => in_bucket(&self.own, &sink.name),
            Place::Directory(directory) => on_disk(directory.path()),
        }
    }

    /// Gives them more to write, little by little. While they do, and each sink has written so many files of it, `event` befalls
    /// one of them.
    fn write(&mut self, files: usize, event: Option<Event>) {
        let before = self.sinks.each_ref().map(|sink| self.files(sink));
        let (kafka, topic, start) = (self.kafka, self.topic.clone(), self.end);
        self.end += MORE;
        let portions = (0..PORTIONS).map(move |portion| start + portion * MORE / PORTIONS);
        thread::scope(|scope| {
            scope.spawn(move || {
                for first in portions {
                    produce_numbered(kafka, &topic, first..first + MORE / PORTIONS);
                }
            });
            for (sink, before) in self.sinks.iter().zip(before) {
                let what = format!("further files of {}", sink.name);
                wait_until(SOON, &what, || (self.files(sink) >= before + files).then_some(()));
            }
            if let Some(event) = event {
                println!("{event:?} on the way to {}", self.end);
                self.befall(event);
            }
        });
    }

    /// How often a worker came too late with a file.
    fn lost_races(&self) -> usize {
        let said = "another task has written this file";
        [0, 1].map(|worker| self.group.worker(worker).log().matches(said).count()).iter().sum()
    }

    /// Waits until the sinks have committed everything, as this worker says.
    fn await_committed(&self, worker: usize) {
        for sink in &self.sinks {
            wait_until(SOON, &format!("{} has written everything", sink.name), || {
                let path = format!("/connectors/{}/offsets", sink.name);
                let answer = self.group.worker(worker).try_ask("GET", &path, None)?.json();
                let offsets = answer["offsets"].as_array()?.iter();
                let committed: i64 = offsets.filter_map(|offset| offset["offset"]["kafka_offset"].as_i64()).sum();
                (committed >= PARTITIONS * self.end).then_some(())
            });
        }
    }

    fn befall(&mut self, event: Event) {
        match event {
            Event::Killed(worker) => {
                self.group.kill(worker);
                self.group.start_again(worker);
            }
            Event::Stopped(worker) => {
                self.group.stop(worker);
                self.group.start_again(worker);
            }
            Event::Asleep(worker) => {
                self.group.worker(worker).signal("STOP");
                self.await_committed(1 - worker);
                self.group.worker(worker).signal("CONT");
            }
            Event::StoreKilled => {
                self.own.kill();
                self.own.restart();
            }
        }
    }
}

#[test]
fn in_a_group_whose_workers_come_and_go_every_offset_is_in_one_file() {
    let mut writers = Writers::start(Kafka::shared());
    writers.write(1, None);
    // joins while they write
    writers.group.add(&[Vendor::Volley]);
    writers.faulty.strike(5, &Fault::PASSING);
    for (number, event) in EVENTS.into_iter().cycle().take(kills(FEW)).enumerate() {
        writers.write(1 + number * 5 % 8, Some(event));
    }
    writers.write(1, None);
    writers.await_committed(0);
    for sink in &writers.sinks {
        writers.group.await_state(&sink.name, "RUNNING", 2);
    }
    writers.group.stop_all();
    println!("{} races for a file were lost", writers.lost_races());
    for sink in &writers.sinks {
        assert_exactly_once(&writers.found(sink), PARTITIONS, writers.end);
    }
}
