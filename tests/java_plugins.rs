//! Java's connectors, unmodified, in hosts beside the worker.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::testbed::{Kafka, Message, Vendor, host_of, hosts_of, java_properties, signal, wait_until};
use crate::worker_group::{SOON, WorkerGroup};

const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";

/// A file that a source reads, and one that a sink writes.
struct Files {
    directory: tempfile::TempDir,
    written: String,
}

impl Files {
    fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap(), written: String::new() };
        fs::write(files.input(), "").unwrap();
        files
    }

    fn input(&self) -> PathBuf {
        self.directory.path().join("input")
    }

    fn output(&self) -> PathBuf {
        self.directory.path().join("output")
    }

    fn append(&mut self, text: &str) {
        let mut file = File::options().append(true).open(self.input()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.written.push_str(text);
    }

    fn source(&self, topic: &str) -> Value {
        json!({"connector.class": SOURCE, "tasks.max": "1", "file": self.input(), "topic": topic})
    }

    /// In a group of its own, as other tests have connectors of this name.
    fn sink(&self, topic: &str) -> Value {
        json!({"connector.class": SINK, "tasks.max": "1", "file": self.output(), "topics": topic,
            "consumer.override.group.id": format!("of-{topic}"), "consumer.override.auto.offset.reset": "earliest"})
    }

    fn await_output(&self) {
        wait_until(SOON, "the sink has written all lines", || {
            let output = fs::read_to_string(self.output()).unwrap_or_default();
            (output.len() >= self.written.len()).then_some(())
        });
        assert_eq!(read(&self.output()), self.written);
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn group(kafka: &Kafka, stem: &str, more: &[(&'static str, &str)]) -> WorkerGroup {
    let properties = java_properties(&["connect-file"]);
    let mut all: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    all.extend_from_slice(more);
    WorkerGroup::with(kafka, stem, &all)
}

fn first_running(group: &WorkerGroup) -> usize {
    (0..).find(|&index| group.worker(index).is_running()).unwrap()
}

/// Waits until the offsets of both connectors say that all lines are through.
fn await_offsets(group: &WorkerGroup, files: &Files, lines: usize) -> (Value, Value) {
    let index = first_running(group);
    wait_until(SOON, "the offsets are committed", || {
        let source = group.ask(index, "GET", "/connectors/source/offsets", None);
        let sink = group.ask(index, "GET", "/connectors/sink/offsets", None);
        let position = source["offsets"][0]["offset"]["position"].as_u64();
        let offset = sink["offsets"][0]["offset"]["kafka_offset"].as_u64();
        (position == Some(files.written.len() as u64) && offset == Some(lines as u64)).then_some((source, sink))
    })
}

/// Without what tells one round from another.
fn contents(message: &Message) -> Message {
    Message { offset: 0, timestamp: 0, ..message.clone() }
}

#[test]
fn java_s_file_connectors_go_from_a_java_worker_to_volley_and_back_and_write_the_same_bytes() {
    const LINES: &str = "a line\n\nwith \"quotes\", a tab\t and \\ more\n{\"json\": [1, 2]}\n   spaces   \n";
    let kafka = Kafka::shared();
    let mut group = group(kafka, "java-files", &[]);
    let (mut files, topic) = (Files::new(), kafka.topic("java-lines", 1));
    let long = format!("{}\n", "x".repeat(100_000));
    let round = format!("{LINES}{long}");
    let mut lines = 0;
    for vendor in [Vendor::Java, Vendor::Volley, Vendor::Java, Vendor::Volley] {
        let index = group.add(&[vendor])[0];
        if lines == 0 {
            group.put(index, "source", &files.source(&topic));
            group.put(index, "sink", &files.sink(&topic));
        }
        group.await_state("source", "RUNNING", 1);
        group.await_state("sink", "RUNNING", 1);
        if lines > 0 {
            await_offsets(&group, &files, lines);
        }
        files.append(&round);
        lines += round.lines().count();
        files.await_output();
        await_offsets(&group, &files, lines);
        if vendor == Vendor::Volley {
            let worker = group.worker(index).pid();
            assert_ne!(host_of(worker, "source"), host_of(worker, "sink"), "each connector has a host of its own");
        }
        group.stop(index);
    }
    let messages = kafka.read_topic(&topic);
    let rounds: Vec<Vec<_>> =
        messages.chunks(round.lines().count()).map(|round| round.iter().map(contents).collect()).collect();
    assert_eq!(rounds.len(), 4);
    assert!(rounds.windows(2).all(|pair| pair[0] == pair[1]), "not all rounds have the same bytes");
}

#[test]
fn a_host_that_is_killed_fails_its_own_connector_which_goes_on_after_a_restart_without_a_gap() {
    let kafka = Kafka::shared();
    let mut group = group(kafka, "java-kill", &[]);
    let index = group.add(&[Vendor::Volley])[0];
    let worker = group.worker(index).pid();
    let topics = ["one", "two"].map(|stem| kafka.topic(stem, 1));
    let mut files = [Files::new(), Files::new()];
    for (number, name) in ["one", "two"].into_iter().enumerate() {
        group.put(index, name, &files[number].source(&topics[number]));
        group.await_state(name, "RUNNING", 1);
    }
    let append = |files: &mut [Files; 2]| files.iter_mut().for_each(|files| files.append("before\n"));
    append(&mut files);
    let count = |topic: &str| kafka.read_topic(topic).len();
    wait_until(SOON, "the first lines", || topics.iter().all(|topic| count(topic) == 1).then_some(()));

    signal(host_of(worker, "one"), "KILL");
    let trace = wait_until(SOON, "the connector whose host was killed has failed", || {
        let status = group.ask(index, "GET", "/connectors/one/status", None);
        let task = &status["tasks"][0];
        (task["state"] == "FAILED").then(|| task["trace"].as_str().unwrap_or_default().to_owned())
    });
    assert!(trace.contains("SIGKILL"), "{trace}");
    append(&mut files);
    wait_until(SOON, "the other one goes on", || (count(&topics[1]) == 2).then_some(()));
    group.await_state("two", "RUNNING", 1);
    group.ask(index, "POST", "/connectors/one/restart?includeTasks=true&onlyFailed=true", None);
    group.await_state("one", "RUNNING", 1);
    wait_until(SOON, "no line is left out", || (count(&topics[0]) >= 2).then_some(()));
}

#[test]
fn the_worker_s_end_is_the_end_of_its_hosts_whether_it_is_killed_or_stopped() {
    let kafka = Kafka::shared();
    let mut group = group(kafka, "java-end", &[]);
    let topic = kafka.topic("java-end", 1);
    let files = Files::new();
    for is_killed in [false, true] {
        let index = group.add(&[Vendor::Volley])[0];
        group.put(index, "source", &files.source(&topic));
        group.await_state("source", "RUNNING", 1);
        let hosts = hosts_of(group.worker(index).pid());
        assert!(!hosts.is_empty());
        if is_killed {
            group.kill(index)
        } else {
            group.stop(index)
        }
        wait_until(SOON, "the hosts are gone", || {
            hosts.iter().all(|host| !Path::new(&format!("/proc/{host}")).exists()).then_some(())
        });
    }
}

#[test]
fn a_worker_with_a_plugin_path_and_native_connectors_starts_no_jvm() {
    let kafka = Kafka::shared();
    let mut group = group(kafka, "java-none", &[("volley.java", "auto")]);
    let index = group.add(&[Vendor::Volley])[0];
    let (mut files, topic) = (Files::new(), kafka.topic("java-none", 1));
    group.put(index, "source", &files.source(&topic));
    group.put(index, "sink", &files.sink(&topic));
    files.append("a line\n");
    files.await_output();
    assert_eq!(hosts_of(group.worker(index).pid()), Vec::<u32>::new());
    // a list of all plug-ins has to look for them
    let plugins = group.ask(index, "GET", "/connector-plugins?connectorsOnly=false", None);
    let classes: Vec<_> = plugins.as_array().unwrap().iter().map(|plugin| plugin["class"].as_str().unwrap()).collect();
    assert!(classes.contains(&SOURCE) && classes.contains(&"org.apache.kafka.connect.transforms.Cast$Value"));
}

#[test]
fn without_a_jvm_a_java_class_is_refused_with_what_to_do_and_native_connectors_run() {
    let kafka = Kafka::shared();
    let more = [("volley.java", "auto"), ("volley.java.home", "/nowhere/jdk")];
    let properties = java_properties(&["mongo-kafka-connect"]);
    let mut all: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    all.retain(|(key, _)| *key != "volley.java");
    all.extend(more);
    let mut group = WorkerGroup::with(kafka, "java-no-jvm", &all);
    let index = group.add(&[Vendor::Volley])[0];
    let mongo = json!({"connector.class": "com.mongodb.kafka.connect.MongoSinkConnector", "topics": "t"});
    let (status, answer) = group.worker(index).ask("PUT", "/connectors/mongo/config", Some(&mongo));
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(status >= 400 && message.contains("/nowhere/jdk") && message.contains("volley.java.home"), "{answer}");
    let (mut files, topic) = (Files::new(), kafka.topic("java-no-jvm", 1));
    group.put(index, "source", &files.source(&topic));
    group.put(index, "sink", &files.sink(&topic));
    files.append("a line\n");
    files.await_output();
}

#[test]
fn a_connector_without_a_service_file_is_found_by_reflection_and_validated_by_its_own_code() {
    let kafka = Kafka::shared();
    let properties = java_properties(&["mongo-kafka-connect"]);
    let mut all: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
    all.push(("plugin.discovery", "hybrid_warn"));
    let mut group = WorkerGroup::with(kafka, "java-mongo", &all);
    let index = group.add(&[Vendor::Volley])[0];
    let class = "com.mongodb.kafka.connect.MongoSinkConnector";
    let plugins = group.ask(index, "GET", "/connector-plugins", None);
    let mongo = plugins.as_array().unwrap().iter().find(|plugin| plugin["class"] == class).expect("it is listed");
    assert_eq!((mongo["type"].as_str(), mongo["version"].as_str()), (Some("sink"), Some("2.0.1")));
    let config = json!({"connector.class": class, "name": "mongo", "topics": "t", "tasks.max": "1",
        "connection.uri": "nonsense://here", "database": "d"});
    let target = "/connector-plugins/MongoSinkConnector/config/validate";
    let (status, answer) = group.worker(index).ask("PUT", target, Some(&config));
    assert_eq!(status, 200, "{answer}");
    let of = |name: &str| {
        let configs = answer["configs"].as_array().unwrap();
        configs.iter().find(|config| config["value"]["name"] == name).cloned().unwrap_or_default()
    };
    let errors = of("connection.uri")["value"]["errors"].clone();
    assert!(errors[0].as_str().is_some_and(|error| error.contains("connection string is invalid")), "{errors}");
    // the one that the converters are checked with is the worker's
    assert_eq!(of("topics")["value"]["value"], "t");
}

#[test]
fn a_connector_of_volley_s_own_has_volley_s_converters_though_java_is_preferred() {
    let kafka = Kafka::shared();
    let mut group = group(kafka, "java-own-chain", &[]);
    let index = group.add(&[Vendor::Volley])[0];
    let topic = kafka.topic("java-own-chain", 1);
    kafka.produce_pairs(&topic, &[("k", Some("{\"a\": 1}"))]);
    let directory = tempfile::tempdir().unwrap();
    let sink = json!({"connector.class": "ObjectStoreSink", "topics": topic, "flush.size": "1", "format.class": "JsonLines",
        "store.url": format!("file://{}", directory.path().display()),
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "transforms": "x", "transforms.x.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.x.static.field": "b", "transforms.x.static.value": "2"});
    group.put(index, "own", &sink);
    group.await_state("own", "RUNNING", 1);
    let written = || {
        let found = files_below(directory.path()).into_iter().map(|path| read(&path)).collect::<String>();
        (!found.is_empty()).then_some(found)
    };
    assert_eq!(wait_until(SOON, "a file", written).trim(), "{\"a\":1,\"b\":\"2\"}");
}

/// All complete files below a directory.
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .flat_map(|path| match path.is_dir() {
            _ if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_'])) => Vec::new(),
            true => files_below(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
fn a_record_of_20_mb_goes_from_a_java_source_to_a_java_sink_where_the_limits_allow_it() {
    let kafka = Kafka::shared();
    let mut group = group(kafka, "java-large", &[]);
    let index = group.add(&[Vendor::Volley])[0];
    let topic = kafka.topic_with("java-large", 1, &[("max.message.bytes", "30000000")]);
    let mut files = Files::new();
    let (mut source, mut sink) = (files.source(&topic), files.sink(&topic));
    // Jackson reads no longer texts than 20 000 000 characters
    for config in [&mut source, &mut sink] {
        config["value.converter"] = json!("org.apache.kafka.connect.storage.StringConverter");
    }
    source["producer.override.max.request.size"] = json!("30000000");
    for key in ["fetch.max.bytes", "max.partition.fetch.bytes"] {
        sink[format!("consumer.override.{key}")] = json!("30000000");
    }
    group.put(index, "source", &source);
    group.put(index, "sink", &sink);
    files.append(&format!("before\n{}\nafter\n", "x".repeat(20 << 20)));
    wait_until(2 * SOON, "the sink has written all lines", || {
        let written = fs::metadata(files.output()).map_or(0, |file| file.len());
        (written >= files.written.len() as u64).then_some(())
    });
    assert!(read(&files.output()) == files.written, "not what was read");
}
