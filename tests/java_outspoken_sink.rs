//! What a Java sink is asked, and what it gets when it asks: beside the Java worker, with a plug-in of our own
//! (`tests/java/OutspokenSink.java`).

use std::collections::BTreeMap;
use std::fs;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, compiled_sink, java_properties, wait_until};
use crate::worker_group::{SOON, WorkerGroup};

/// The sink, and the files that it and its worker read and write.
struct Scene {
    directory: tempfile::TempDir,
    group: WorkerGroup,
    name: String,
}

impl Scene {
    /// With one worker, which commits often, and a connector of this name.
    fn new(kafka: &Kafka, name: String, vendor: Vendor) -> Self {
        Self::that_commits_every("200", kafka, name, vendor)
    }

    /// With one worker that commits every so many milliseconds.
    fn that_commits_every(interval: &str, kafka: &Kafka, name: String, vendor: Vendor) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let plugins = directory.path().join("plugins");
        compiled_sink("OutspokenSink", &plugins.join("outspoken"));
        let mut properties = java_properties(&[]);
        properties.retain(|(key, _)| *key != "plugin.path");
        properties.extend([
            ("plugin.path", plugins.display().to_string()),
            ("config.providers", "file".to_owned()),
            ("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider".to_owned()),
            ("offset.flush.interval.ms", interval.to_owned()),
        ]);
        let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut group = WorkerGroup::with(kafka, "java-outspoken", &given);
        group.add(&[vendor]);
        Self { directory, group, name }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Lines that the sink has written.
    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.path("said")).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    fn await_line(&self, line: &str) {
        wait_until(SOON, line, || self.lines().iter().any(|written| written == line).then_some(()));
    }

    fn start(&self, topic: &str, more: &Value) {
        let mut config = json!({"connector.class": "OutspokenSink", "topics": topic, "file": self.path("said"),
            "tasks.max": "1", "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "consumer.override.auto.offset.reset": "earliest"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.group.put(0, &self.name, &config);
        // it stays stopped if it was
        self.group.ask(0, "PUT", &format!("/connectors/{}/resume", self.name), None);
        self.group.await_state(&self.name, "RUNNING", 1);
    }

    fn stop(&self) {
        self.group.ask(0, "PUT", &format!("/connectors/{}/stop", self.name), None);
        self.group.await_state(&self.name, "STOPPED", 0);
    }

    /// What the worker says when it is to change offsets.
    fn offsets(&self, method: &str, body: Option<&Value>) -> (u16, Value) {
        self.group.worker(0).ask(method, &format!("/connectors/{}/offsets", self.name), body)
    }

    /// The text beside each offset that the sink's group has committed in two partitions of `topic`.
    fn committed(&self, kafka: &Kafka, topic: &str) -> BTreeMap<i32, String> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", kafka.bootstrap_servers())
            .set("group.id", format!("connect-{}", self.name))
            .create()
            .unwrap();
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(topic, 0, 1);
        let committed = consumer.committed_offsets(partitions, SOON).unwrap();
        let elements = committed.elements();
        let found = elements.iter().filter(|element| element.offset() != Offset::Invalid);
        found.map(|element| (element.partition(), element.metadata().to_owned())).collect()
    }
}

#[test]
fn a_java_task_that_asks_for_its_configuration_gets_its_secrets_as_they_are_now() {
    let kafka = Kafka::shared();
    for vendor in [Vendor::Java, Vendor::Volley] {
        let scene = Scene::new(kafka, kafka.unique("configs"), vendor);
        let topic = kafka.topic("java-configs", 1);
        let secrets = scene.path("secrets");
        fs::write(&secrets, "word=sesame\n").unwrap();
        scene.start(&topic, &json!({"secret": format!("${{file:{secrets}:word}}")}));
        kafka.produce_pairs(&topic, &[("k", Some("first"))]);
        scene.await_line("first with sesame, now sesame");
        fs::write(&secrets, "word=poppy\n").unwrap();
        kafka.produce_pairs(&topic, &[("k", Some("second"))]);
        scene.await_line("second with sesame, now poppy");
    }
}

#[test]
fn a_java_sink_has_its_say_before_its_offsets_change() {
    let kafka = Kafka::shared();
    // in what both say
    let name = kafka.unique("alter");
    let mut said_by = Vec::new();
    for vendor in [Vendor::Java, Vendor::Volley] {
        let scene = Scene::new(kafka, name.clone(), vendor);
        let topic = kafka.topic("java-alter", 2);
        let partition = |number: i32| json!({"kafka_topic": topic, "kafka_partition": number});
        let altered = json!({"offsets": [
            {"partition": partition(0), "offset": {"kafka_offset": 1}},
            {"partition": {"kafka_topic": topic, "kafka_partition": "1"}, "offset": null},
        ]});
        let mut said = Vec::new();
        for answer in ["no", "connect", "unsupported", "fails", "yes"] {
            kafka.produce(&topic, 2, |number, _, value| {
                value.extend_from_slice(answer.as_bytes());
                number as i32
            });
            scene.start(&topic, &json!({ "answer": answer }));
            let committed = || scene.committed(kafka, &topic).into_keys().collect::<Vec<_>>();
            wait_until(SOON, "both partitions have offsets", || (committed().len() == 2).then_some(()));
            scene.stop();
            said.push((answer, scene.offsets("PATCH", Some(&altered)), committed()));
            said.push((answer, scene.offsets("DELETE", None), committed()));
        }
        let asked: Vec<_> = scene.lines().into_iter().filter(|line| line.starts_with("alter")).collect();
        assert_eq!(asked[..2], ["alter {partition 0=1, partition 1=null}", "alter {partition 0=null}"], "{asked:?}");
        assert_eq!(asked.len(), 10);
        said_by.push((asked, said));
    }
    assert_eq!(said_by[0], said_by[1], "the Java worker and Volley");
}

#[test]
fn the_text_that_a_java_sink_has_beside_its_offsets_is_committed_with_them() {
    let kafka = Kafka::shared();
    for vendor in [Vendor::Java, Vendor::Volley] {
        let scene = Scene::new(kafka, kafka.unique("metadata"), vendor);
        let topic = kafka.topic("java-metadata", 1);
        scene.start(&topic, &json!({}));
        for (value, text) in [("first", "said at 1"), ("second", "said at 2")] {
            kafka.produce_pairs(&topic, &[("k", Some(value))]);
            wait_until(SOON, text, || (scene.committed(kafka, &topic).get(&0)? == text).then_some(()));
        }
    }
}

#[test]
fn what_a_java_sink_vouched_for_is_not_committed_if_it_cannot_close() {
    let kafka = Kafka::shared();
    for vendor in [Vendor::Java, Vendor::Volley] {
        // so that nothing is committed but at the end
        let scene = Scene::that_commits_every("600000", kafka, kafka.unique("close"), vendor);
        let topic = kafka.topic("java-close", 1);
        let line = "first with null, now null";
        let times = || scene.lines().iter().filter(|written| *written == line).count();
        kafka.produce_pairs(&topic, &[("k", Some("first"))]);
        scene.start(&topic, &json!({"close": "fails"}));
        scene.await_line(line);
        scene.stop();
        scene.start(&topic, &json!({}));
        wait_until(SOON, "the record comes again", || (times() == 2).then_some(()));
        scene.stop();
        wait_until(SOON, "offsets", || (scene.committed(kafka, &topic).get(&0)? == "said at 1").then_some(()));
        assert_eq!(scene.lines().iter().filter(|written| *written == "close").count(), 2, "{:?}", scene.lines());
    }
}

#[test]
fn a_java_sink_that_pauses_itself_with_each_put_is_called_again_and_gets_all_that_waits() {
    let kafka = Kafka::shared();
    for vendor in [Vendor::Java, Vendor::Volley] {
        let scene = Scene::new(kafka, kafka.unique("pauses"), vendor);
        let topic = kafka.topic("java-pauses", 1);
        let values: Vec<String> = (0..60).map(|number| format!("number {number}")).collect();
        let pairs: Vec<_> = values.iter().map(|value| ("k", Some(value.as_str()))).collect();
        kafka.produce_pairs(&topic, &pairs);
        // several puts wait behind the first, which pauses
        scene.start(&topic, &json!({"pauses": "true", "consumer.override.max.poll.records": "10"}));
        let wanted: Vec<_> = values.iter().map(|value| format!("{value} with null, now null")).collect();
        wait_until(SOON, "all records", || (scene.lines().len() >= wanted.len()).then_some(()));
        scene.stop();
        let lines: Vec<_> = scene.lines().into_iter().filter(|line| line != "close").collect();
        assert_eq!(lines, wanted);
    }
}

#[test]
fn a_java_sink_that_keeps_its_offsets_itself_goes_forward_when_it_opens_and_back_when_it_wants() {
    let kafka = Kafka::shared();
    for vendor in [Vendor::Java, Vendor::Volley] {
        let scene = Scene::new(kafka, kafka.unique("seeks"), vendor);
        let topic = kafka.topic("java-seeks", 1);
        let values = ["zero", "one", "two", "three", "last"];
        kafka.produce_pairs(&topic, &values.map(|value| ("k", Some(value))));
        scene.start(&topic, &json!({"open": "2", "back": "3"}));
        let wanted = ["two", "three", "last", "three", "last"].map(|value| format!("{value} with null, now null"));
        wait_until(SOON, "all records", || (scene.lines().len() >= wanted.len()).then_some(()));
        wait_until(SOON, "offsets", || (scene.committed(kafka, &topic).get(&0)? == "said at 5").then_some(()));
        scene.stop();
        let lines: Vec<_> = scene.lines().into_iter().filter(|line| line != "close").collect();
        assert_eq!(lines, wanted, "{vendor:?}");
    }
}
