//! A connector of Debezium on a worker, and the topic of its only table.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::rows::{Rows, folded};
use crate::testbed::{Kafka, Message, Vendor, host_of, java_properties, signal, wait_until};
use crate::worker_group::WorkerGroup;

pub(super) const SOON: Duration = Duration::from_secs(180);
const CONNECTOR: &str = "debezium";

pub(super) struct Capture {
    pub(super) kafka: &'static Kafka,
    pub(super) group: WorkerGroup,
    pub(super) topic: String,
}

impl Capture {
    /// Starts the connector on a worker of its own. The configuration needs neither tasks nor converters.
    pub(super) fn start(plugin: &str, topic: String, config: &Value) -> Self {
        let kafka = Kafka::shared();
        let properties = java_properties(&[plugin]);
        let given: Vec<_> = properties.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let mut group = WorkerGroup::with(kafka, "debezium", &given);
        group.add(&[Vendor::Volley]);
        let mut whole = json!({
            "tasks.max": "1",
            "retriable.restart.connector.wait.ms": "500",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "false",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "false",
        });
        whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        group.put(0, CONNECTOR, &whole);
        let capture = Self { kafka, group, topic };
        capture.await_running();
        capture
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.read(&self.topic)
    }

    /// Messages of a topic that need not be there yet.
    pub(super) fn read(&self, topic: &str) -> Vec<Message> {
        let exists = self.kafka.admin().topic(topic).unwrap().is_some();
        if exists { self.kafka.read_topic(topic) } else { Vec::new() }
    }

    pub(super) fn await_equal(&self, what: &str, wanted: &Rows) {
        let deadline = Instant::now() + SOON;
        let mut seen = Rows::new();
        while Instant::now() < deadline {
            seen = folded(&self.messages());
            if seen == *wanted {
                return;
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        let differs = |id: &&i64| wanted.get(*id) != seen.get(*id);
        let different: Vec<_> = wanted.keys().chain(seen.keys()).filter(differs).collect();
        let first = different.first().map(|id| (wanted.get(*id), seen.get(*id)));
        panic!("{what}: of {} rows of the table {} differ in the topic: {first:?}", wanted.len(), different.len());
    }

    pub(super) fn await_running(&self) {
        self.group.await_state(CONNECTOR, "RUNNING", 1);
    }

    pub(super) fn kill_host(&self) {
        signal(host_of(self.group.worker(0).pid(), CONNECTOR), "KILL");
    }

    /// Starts the task again that a killed host has failed.
    pub(super) fn restart_failed(&self) {
        wait_until(SOON, "the task has failed", || {
            let status = self.group.ask(0, "GET", &format!("/connectors/{CONNECTOR}/status"), None);
            (status["tasks"][0]["state"] == "FAILED").then_some(())
        });
        self.group.ask(0, "POST", &format!("/connectors/{CONNECTOR}/restart?includeTasks=true"), None);
        self.await_running();
    }

    pub(super) fn kill_worker(&mut self) {
        self.group.kill(0);
    }

    pub(super) fn start_worker_again(&mut self) {
        self.group.start_again(0);
        self.await_running();
    }
}
