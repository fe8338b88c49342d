//! What no Java plug-in can do, whatever it does: harm others, or lose or hold up what is not its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, compile_plugin, host_of, hosts_of, java_properties, signal, wait_until};
use crate::worker_group::WorkerGroup;

/// Also for a JVM on a slow machine.
const SOON: Duration = Duration::from_secs(120);
const SOURCE: &str = "org.volley.tests.Unruly$Source";
const SINK: &str = "org.volley.tests.Unruly$Sink";
const BROKEN: &str = "org.volley.tests.Unruly$Broken";

/// A worker with the plug-ins of `tests/java/Unruly.java`, and a directory for their files.
struct Unruly {
    group: WorkerGroup,
    files: tempfile::TempDir,
}

impl Unruly {
    fn new(kafka: &Kafka, stem: &str) -> Self {
        let files = tempfile::tempdir().unwrap();
        let path = files.path().join("plugins");
        let services: [(&str, &[&str]); 2] = [
            ("org.apache.kafka.connect.source.SourceConnector", &[BROKEN, SOURCE]),
            ("org.apache.kafka.connect.sink.SinkConnector", &[SINK]),
        ];
        compile_plugin(&path, "Unruly", &services);
        let mut properties = java_properties(&["connect-file"]);
        properties[0].1 = format!("{},{}", properties[0].1, path.display());
        properties.push(("volley.java.heap", "96m".to_owned()));
        properties.push(("task.shutdown.graceful.timeout.ms", "1000".to_owned()));
        let properties: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut group = WorkerGroup::with(kafka, stem, &properties);
        group.add(&[Vendor::Volley]);
        Self { group, files }
    }

    /// The file in which a connector finds what trouble to make.
    fn trouble(&self, name: &str) -> PathBuf {
        self.files.path().join(format!("trouble of {name}"))
    }

    fn make_trouble(&self, name: &str, which: &str) {
        let (new, trouble) = (self.files.path().join("new"), self.trouble(name));
        fs::write(&new, which).unwrap();
        fs::rename(new, &trouble).unwrap();
        wait_until(SOON, &format!("{name} makes trouble"), || (!trouble.exists()).then_some(()));
    }

    fn source(&self, name: &str, topic: &str) {
        self.source_of(name, topic, 0);
    }

    /// One that stops after `count` rows, for which it takes no breath, unless that is 0.
    fn source_of(&self, name: &str, topic: &str, count: u64) {
        let config = json!({"connector.class": SOURCE, "tasks.max": "1", "trouble": self.trouble(name), "topic": topic,
            "count": count.to_string()});
        self.group.put(0, name, &config);
        self.group.await_state(name, "RUNNING", 1);
    }

    /// Returns the file that the sink writes.
    fn sink(&self, name: &str, topic: &str, tasks: usize) -> PathBuf {
        let file = self.files.path().join(name);
        let config = json!({"connector.class": SINK, "tasks.max": tasks.to_string(), "trouble": self.trouble(name), "file": file,
            "topics": topic, "consumer.override.group.id": format!("{name}-of-{topic}"),
            "consumer.override.auto.offset.reset": "earliest", "consumer.override.max.poll.interval.ms": "5000"});
        self.group.put(0, name, &config);
        self.group.await_state(name, "RUNNING", tasks);
        file
    }

    fn worker(&self) -> u32 {
        self.group.worker(0).pid()
    }

    fn await_failure(&self, name: &str) -> String {
        wait_until(SOON, &format!("{name} has failed"), || {
            let status = self.group.ask(0, "GET", &format!("/connectors/{name}/status"), None);
            let task = &status["tasks"][0];
            (task["state"] == "FAILED").then(|| task["trace"].as_str().unwrap_or_default().to_owned())
        })
    }

    fn restart_failed(&self, name: &str) {
        let target = format!("/connectors/{name}/restart?includeTasks=true&onlyFailed=true");
        self.group.ask(0, "POST", &target, None);
        self.group.await_state(name, "RUNNING", 1);
    }

    /// What a connector has produced or put.
    fn rows(&self, name: &str) -> u64 {
        let progress = self.group.ask(0, "GET", &format!("/volley/connectors/{name}/progress"), None);
        progress["total"]["rows_out"].as_u64().unwrap_or_default()
    }

    /// Waits until a connector has moved further rows.
    fn await_rows(&self, name: &str) {
        let before = self.rows(name);
        wait_until(SOON, &format!("rows of {name} flow"), || (self.rows(name) > before).then_some(()));
    }
}

fn await_gone(process: u32) {
    wait_until(SOON, "the process is gone", || (!Path::new(&format!("/proc/{process}")).exists()).then_some(()));
}

/// The numbers that the source has written, as they stand in the topic.
fn numbers(kafka: &Kafka, topic: &str) -> Vec<u64> {
    let number = |value: Vec<u8>| serde_json::from_slice::<Value>(&value).unwrap()["payload"].as_u64().unwrap();
    kafka.read_topic(topic).into_iter().filter_map(|message| message.value).map(number).collect()
}

#[test]
fn a_plug_in_that_exhausts_its_heap_or_exits_the_jvm_fails_alone_and_goes_on_after_a_restart_without_a_gap() {
    let kafka = Kafka::shared();
    let mut unruly = Unruly::new(kafka, "unruly");
    let topics = ["calm", "unruly"].map(|stem| kafka.topic(stem, 1));
    unruly.source("calm", &topics[0]);
    unruly.source("unruly", &topics[1]);
    let calm = host_of(unruly.worker(), "calm");
    for (trouble, reason) in [("exhaust", "its heap is exhausted"), ("exit", "exit code 7")] {
        unruly.await_rows("unruly");
        unruly.make_trouble("unruly", trouble);
        unruly.await_rows("calm");
        let trace = unruly.await_failure("unruly");
        assert!(trace.contains(reason) && trace.contains("connector `unruly`"), "{trace}");
        unruly.await_rows("calm");
        unruly.restart_failed("unruly");
    }
    unruly.await_rows("unruly");
    assert_eq!(host_of(unruly.worker(), "calm"), calm, "the other one ran on");
    unruly.group.stop(0);
    let numbers = numbers(kafka, &topics[1]);
    let missing = (0..*numbers.iter().max().unwrap()).find(|number| !numbers.contains(number));
    assert_eq!(missing, None);
}

#[test]
fn a_host_that_is_stopped_leaves_others_alone_and_ends_when_its_connector_is_deleted() {
    let kafka = Kafka::shared();
    let unruly = Unruly::new(kafka, "stopped");
    let topics = ["calm", "stopped"].map(|stem| kafka.topic(stem, 1));
    unruly.source("calm", &topics[0]);
    unruly.source("stopped", &topics[1]);
    let host = host_of(unruly.worker(), "stopped");
    signal(host, "STOP");
    unruly.await_rows("calm");
    unruly.group.ask(0, "DELETE", "/connectors/stopped", None);
    await_gone(host);
    unruly.await_rows("calm");
}

#[test]
#[ignore = "it takes the minute that a host may be silent: `make soak`"]
fn a_host_that_is_stopped_is_killed_after_a_minute_and_its_connector_goes_on_after_a_restart() {
    let kafka = Kafka::shared();
    let unruly = Unruly::new(kafka, "silent");
    let topic = kafka.topic("silent", 1);
    unruly.source("silent", &topic);
    unruly.await_rows("silent");
    let host = host_of(unruly.worker(), "silent");
    signal(host, "STOP");
    let trace = unruly.await_failure("silent");
    assert!(trace.contains("no sign of life"), "{trace}");
    await_gone(host);
    unruly.restart_failed("silent");
    unruly.await_rows("silent");
}

#[test]
fn a_class_whose_static_initialiser_throws_is_refused_with_the_reason_and_those_beside_it_run() {
    let kafka = Kafka::shared();
    let unruly = Unruly::new(kafka, "broken");
    let topic = kafka.topic("broken", 1);
    unruly.source("beside", &topic);
    let config = json!({"connector.class": BROKEN, "trouble": "none", "topic": topic});
    let (status, answer) = unruly.group.worker(0).ask("PUT", "/connectors/broken/config", Some(&config));
    assert!(status >= 400, "{answer}");
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(message.contains(BROKEN), "{answer}");
    let log = unruly.group.worker(0).log();
    assert!(log.contains("NumberFormatException") && log.contains("no licence"), "the reason is in the log");
    unruly.await_rows("beside");
}

#[test]
fn a_put_that_never_returns_costs_its_process_and_its_partition_is_read_on_from_what_was_committed() {
    let kafka = Kafka::shared();
    let unruly = Unruly::new(kafka, "hang");
    let topic = kafka.topic("hang", 1);
    let file = unruly.sink("hang", &topic, 1);
    produce_rows(kafka, &topic, 0, 1);
    await_written(&file, 10);
    let host = host_of(unruly.worker(), "hang");
    fs::write(unruly.trouble("hang"), "hang").unwrap();
    produce_rows(kafka, &topic, 10, 1);
    wait_until(SOON, "the put hangs", || (!unruly.trouble("hang").exists()).then_some(()));
    // the instance of the connector is well, and in the same process
    unruly.group.ask(0, "POST", "/connectors/hang/tasks/0/restart", None);
    await_written(&file, 20);
    await_gone(host);
    unruly.group.await_state("hang", "RUNNING", 1);
    assert_eq!(hosts_named(unruly.worker(), "hang"), 1);
}

#[test]
fn the_partitions_of_a_task_whose_put_hangs_go_to_the_others_after_max_poll_interval() {
    let kafka = Kafka::shared();
    let unruly = Unruly::new(kafka, "hold");
    let topic = kafka.topic("hold", 2);
    let file = unruly.sink("hold", &topic, 2);
    produce_rows(kafka, &topic, 0, 2);
    await_written(&file, 10);
    fs::write(unruly.trouble("hold"), "hang").unwrap();
    produce_rows(kafka, &topic, 10, 2);
    wait_until(SOON, "the put hangs", || (!unruly.trouble("hold").exists()).then_some(()));
    await_written(&file, 20);
    let log = unruly.group.worker(0).log();
    assert!(log.contains("more than `max.poll.interval.ms` passed"), "it says why");
}

/// Produces ten rows to the partitions in turn.
fn produce_rows(kafka: &Kafka, topic: &str, first: usize, partitions: usize) {
    kafka.produce(topic, 10, |number, _, value| {
        let row = first + number;
        value.extend_from_slice(format!(r#"{{"schema":null,"payload":"row {row}"}}"#).as_bytes());
        i32::try_from(number % partitions).unwrap()
    });
}

/// Waits until the rows from 0 on are written.
fn await_written(file: &Path, count: usize) {
    let rows: Vec<_> = (0..count).map(|number| format!("row {number}")).collect();
    wait_until(SOON, &format!("{count} rows are written"), || {
        let text = fs::read_to_string(file).unwrap_or_default();
        let written: Vec<_> = text.lines().collect();
        rows.iter().all(|row| written.contains(&row.as_str())).then_some(())
    });
}

fn hosts_named(worker: u32, connector: &str) -> usize {
    let name = format!("connector `{connector}`");
    let command = |host: &u32| fs::read_to_string(format!("/proc/{host}/cmdline")).unwrap_or_default();
    hosts_of(worker).iter().filter(|host| command(host).contains(&name)).count()
}

#[test]
fn ten_thousand_polls_of_one_record_each_arrive_once_and_in_order() {
    const POLLS: u64 = 10_000;
    let kafka = Kafka::shared();
    let unruly = Unruly::new(kafka, "polls");
    let topic = kafka.topic("polls", 1);
    unruly.source_of("polls", &topic, POLLS);
    wait_until(SOON, "the offset of the last one is stored", || {
        let offsets = unruly.group.ask(0, "GET", "/connectors/polls/offsets", None);
        (offsets["offsets"][0]["offset"]["next"] == POLLS).then_some(())
    });
    assert_eq!(numbers(kafka, &topic), (0..POLLS).collect::<Vec<_>>());
}
