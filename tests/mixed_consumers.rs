//! One consumer group of Java's consumer, librdkafka's and our own: any of them leads, and every record is read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use volley_kafka::{FetchSettings, Fetcher, TopicSelection};

use crate::testbed::{Kafka, Rebalances, ServerProcess, data_directory, installed, wait_until};

const SOON: Duration = Duration::from_secs(90);
const PARTITIONS: i32 = 6;

/// How often each record was read, by partition and offset.
type Counts = BTreeMap<(i32, i64), u32>;

/// A consumer of this process, which counts what it reads and commits it when it gives up a partition.
struct Ours {
    fetcher: Fetcher,
    listener: Arc<Rebalances>,
}

impl Ours {
    fn join(kafka: &Kafka, group: &str, topic: &str, client: &str, assignor: &str) -> Self {
        let given = kafka.properties(&[
            ("group.id", group),
            ("client.id", client),
            ("auto.offset.reset", "earliest"),
            ("partition.assignment.strategy", assignor),
            ("heartbeat.interval.ms", "200"),
            ("volley.fetch.client", client),
        ]);
        let settings = FetchSettings {
            topics: TopicSelection::Topics(vec![topic.to_owned()]),
            max_rows: 500,
            max_bytes: 1 << 20,
            linger: Duration::from_millis(20),
        };
        let listener = Rebalances::new();
        let fetcher = Fetcher::connect(&given, settings, Arc::clone(&listener) as _).unwrap();
        listener.commit_with(fetcher.committer());
        Self { fetcher, listener }
    }

    fn owned(&self) -> usize {
        self.listener.owned().len()
    }

    fn work(&mut self, counts: &mut Counts) {
        for batch in self.fetcher.poll(Duration::from_millis(20)).unwrap() {
            for offset in batch.origin.offsets.iter() {
                *counts.entry((batch.origin.partition.partition, *offset)).or_default() += 1;
            }
            self.listener.delivered(&batch.origin.partition, batch.origin.range.end);
        }
    }
}

/// Kafka's own consumer for such tests: it tells what it reads, and commits after each poll.
struct Javas {
    process: Option<ServerProcess>,
    directory: PathBuf,
}

impl Javas {
    fn join(kafka: &Kafka, group: &str, topic: &str, assignor: &str) -> Self {
        Self::join_with(kafka, group, topic, &["--assignment-strategy", assignor])
    }

    fn join_with(kafka: &Kafka, group: &str, topic: &str, more: &[&str]) -> Self {
        let directory = data_directory("java-consumer");
        let jars = format!("{}/*", installed("kafka").display());
        let options = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &jars];
        let arguments = [
            "org.apache.kafka.tools.VerifiableConsumer",
            "--bootstrap-server",
            &kafka.bootstrap_servers(),
            "--topic",
            topic,
            "--group-id",
            group,
            "--verbose",
        ];
        let command: Vec<String> =
            options.iter().chain(&arguments).chain(more).map(|text| (*text).to_owned()).collect();
        let process = ServerProcess::start_with_output(&directory, "events", &command, &[]);
        Self { process: Some(process), directory }
    }

    /// What it has told so far, without a line that is not whole yet.
    fn events(&self) -> Vec<Value> {
        let events = fs::read_to_string(self.directory.join("events")).unwrap_or_default();
        events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn owned(&self) -> i64 {
        let moves = self.events().into_iter().map(|event| {
            let partitions = event["partitions"].as_array().map_or(0, Vec::len) as i64;
            match event["name"].as_str() {
                Some("partitions_assigned") => partitions,
                Some("partitions_revoked") => -partitions,
                _ => 0,
            }
        });
        moves.sum()
    }

    fn count_into(&self, counts: &mut Counts) {
        for event in self.events().iter().filter(|event| event["name"] == "record_data") {
            let number = |key: &str| event[key].as_i64().unwrap();
            *counts.entry((number("partition") as i32, number("offset"))).or_default() += 1;
        }
    }

    /// Ends it in order: it commits, and leaves the group.
    fn leave(&mut self) {
        let process = self.process.take().unwrap();
        process.signal("TERM");
        wait_until(SOON, "java's consumer has ended", || (!process.is_running()).then_some(()));
        process.kill_and_keep_data();
    }

    /// Ends it without a word to anybody.
    fn kill(&mut self) {
        self.process.take().unwrap().kill_and_keep_data();
    }
}

impl Drop for Javas {
    fn drop(&mut self) {
        drop(self.process.take());
        let _ = fs::remove_dir_all(&self.directory);
    }
}

struct Group {
    kafka: &'static Kafka,
    topic: String,
    written: usize,
    counts: Counts,
    java: Javas,
}

impl Group {
    fn write(&mut self, records: usize) {
        self.kafka.produce(&self.topic, records, |number, _, value| {
            value.extend_from_slice(number.to_string().as_bytes());
            (number % PARTITIONS as usize) as i32
        });
        self.written += records;
    }

    /// Reads until `done` says so of what the two of us own, and what Java's does.
    fn settle(&mut self, what: &str, members: &mut [&mut Ours], shares: &[i64]) {
        wait_until(SOON, what, || {
            members.iter_mut().for_each(|member| member.work(&mut self.counts));
            let ours = members.iter().map(|member| member.owned() as i64);
            let owned: Vec<_> = ours.chain([self.java.owned()]).collect();
            (owned == shares).then_some(())
        });
    }

    /// Reads until every record that was written is read; how often each was.
    fn read_on(&mut self, members: &mut [&mut Ours]) -> Counts {
        let written = self.written;
        let all = wait_until(SOON, "all records", || {
            members.iter_mut().for_each(|member| member.work(&mut self.counts));
            let mut all = self.counts.clone();
            self.java.count_into(&mut all);
            (all.len() >= written).then_some(all)
        });
        assert_eq!(all.len(), written);
        all
    }

    /// Every record that was written is read once.
    fn read_all(&mut self, members: &mut [&mut Ours]) {
        let all = self.read_on(members);
        let repeated: Vec<_> = all.into_iter().filter(|(_, count)| *count > 1).take(5).collect();
        assert_eq!(repeated, [], "records were read more than once");
    }
}

fn shares_a_group(assignor: &str) {
    let kafka = Kafka::shared();
    let (topic, name) = (kafka.topic("mixed-consumers", PARTITIONS), kafka.unique("group"));
    let join = |client: &str| Ours::join(kafka, &name, &topic, client, assignor);
    // ours leads, as it is the first
    let mut native = join("native");
    wait_until(SOON, "the first has all partitions", || {
        native.work(&mut Counts::new());
        (native.owned() == PARTITIONS as usize).then_some(())
    });
    let java = Javas::join(kafka, &name, &topic, assignor);
    let mut group = Group { kafka, topic: topic.clone(), written: 0, counts: Counts::new(), java };
    group.write(6_000);
    group.settle("java's has its share", &mut [&mut native], &[3, 3]);
    let mut librdkafka = join("librdkafka");
    group.settle("each has its share", &mut [&mut native, &mut librdkafka], &[2, 2, 2]);
    group.write(6_000);
    group.read_all(&mut [&mut native, &mut librdkafka]);

    // another leads now
    native.fetcher.close();
    group.settle("the two that are left share all", &mut [&mut librdkafka], &[3, 3]);
    group.write(6_000);
    group.read_all(&mut [&mut librdkafka]);
    let mut native = join("native");
    group.settle("ours is back", &mut [&mut native, &mut librdkafka], &[2, 2, 2]);
    group.write(6_000);
    group.read_all(&mut [&mut native, &mut librdkafka]);

    group.java.leave();
    wait_until(SOON, "the two of this process share all", || {
        native.work(&mut group.counts);
        librdkafka.work(&mut group.counts);
        (native.owned() == 3 && librdkafka.owned() == 3).then_some(())
    });
    group.write(6_000);
    group.read_all(&mut [&mut native, &mut librdkafka]);
}

#[test]
fn eager_consumers_of_all_kinds_share_a_group_and_read_each_record_once() {
    shares_a_group("org.apache.kafka.clients.consumer.RangeAssignor");
}

#[test]
fn cooperative_consumers_of_all_kinds_share_a_group_and_read_each_record_once() {
    shares_a_group("org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
}

/// What the killed one had read and not committed is read again, and nothing is left out.
fn goes_on_without_a_killed_member(assignor: &str) {
    let kafka = Kafka::shared();
    let (topic, name) = (kafka.topic("mixed-consumers", PARTITIONS), kafka.unique("group"));
    // Java's leads, as it is the first
    let more = ["--assignment-strategy", assignor, "--session-timeout", "6000"];
    let java = Javas::join_with(kafka, &name, &topic, &more);
    let mut group = Group { kafka, topic: topic.clone(), written: 0, counts: Counts::new(), java };
    group.settle("java's has all partitions", &mut [], &[i64::from(PARTITIONS)]);
    let mut native = Ours::join(kafka, &name, &topic, "native", assignor);
    let mut librdkafka = Ours::join(kafka, &name, &topic, "librdkafka", assignor);
    group.settle("each has its share", &mut [&mut native, &mut librdkafka], &[2, 2, 2]);
    group.write(6_000);
    group.java.kill();
    group.write(6_000);
    wait_until(SOON, "the two that live share all", || {
        native.work(&mut group.counts);
        librdkafka.work(&mut group.counts);
        (native.owned() == 3 && librdkafka.owned() == 3).then_some(())
    });
    group.read_on(&mut [&mut native, &mut librdkafka]);
    group.write(6_000);
    group.read_on(&mut [&mut native, &mut librdkafka]);
}

#[test]
fn eager_consumers_go_on_without_a_leader_of_another_kind_that_was_killed() {
    goes_on_without_a_killed_member("org.apache.kafka.clients.consumer.RangeAssignor");
}

#[test]
fn cooperative_consumers_go_on_without_a_leader_of_another_kind_that_was_killed() {
    goes_on_without_a_killed_member("org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
}
