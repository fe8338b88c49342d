//! A worker that reads a database into topics.

use std::time::Duration;

use serde_json::Value;

use crate::testbed::{Kafka, wait_until};
use crate::worker_process::{Running, Volley, request};

pub(crate) const SOON: Duration = Duration::from_secs(90);
pub(crate) const CONNECTOR: &str = "shop";

/// A worker with one connector, which reads a database.
pub(crate) struct Source<'a> {
    kafka: &'a Kafka,
    pub(crate) volley: Volley,
    pub(crate) process: Option<Running>,
    pub(crate) rest: String,
    /// Of the topics.
    pub(crate) prefix: String,
}

impl<'a> Source<'a> {
    /// Not started yet. Of a key that is given twice the last counts.
    pub(crate) fn new(kafka: &'a Kafka, url: &str, keys: &[(&str, &str)]) -> Self {
        let volley = Volley::new();
        volley.worker(&kafka.bootstrap_servers(), &[("value.converter.schemas.enable", "true")]);
        let prefix = format!("{}-", kafka.unique("jdbc"));
        let source = Self { kafka, volley, process: None, rest: String::new(), prefix };
        source.configure(url, keys);
        source
    }

    /// Gives the connector these keys, from its next start on.
    pub(crate) fn configure(&self, url: &str, keys: &[(&str, &str)]) {
        let base = [
            ("name", CONNECTOR),
            ("connector.class", "io.confluent.connect.jdbc.JdbcSourceConnector"),
            ("connection.url", url),
            ("connection.user", "volley"),
            ("connection.backoff.ms", "100"),
            ("poll.interval.ms", "100"),
            ("topic.prefix", &self.prefix),
        ];
        self.volley.file("shop.properties", &[&base, keys].concat());
    }

    pub(crate) fn started(kafka: &'a Kafka, url: &str, keys: &[(&str, &str)]) -> Self {
        let mut source = Self::new(kafka, url, keys);
        source.launch();
        source
    }

    pub(crate) fn launch(&mut self) {
        let mut process = self.volley.start(&["standalone", "worker.properties", "shop.properties"]);
        self.rest = process.rest();
        self.process = Some(process);
    }

    pub(crate) fn stop(&mut self) {
        let process = self.process.take().unwrap();
        process.stop(SOON);
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        request(&self.rest, "GET", &format!("/connectors/{CONNECTOR}/{path}"), None).1
    }

    pub(crate) fn messages(&self, table: &str) -> Vec<Value> {
        let topic = format!("{}{table}", self.prefix);
        if self.kafka.admin().topic(&topic).unwrap().is_none() {
            return Vec::new();
        }
        let messages = self.kafka.read_topic(&topic).into_iter();
        messages.map(|message| serde_json::from_slice(&message.value.unwrap()).unwrap()).collect()
    }

    pub(crate) fn await_messages(&self, table: &str, count: usize) -> Vec<Value> {
        wait_until(SOON, &format!("{count} rows of {table}"), || {
            let status = self.get("status");
            let failed = status["tasks"]
                .as_array()
                .into_iter()
                .flatten()
                .chain([&status["connector"]])
                .find(|task| task["state"] == "FAILED");
            assert!(failed.is_none(), "{status:#}");
            let messages = self.messages(table);
            (messages.len() >= count).then_some(messages)
        })
    }

    /// The `id` of each record.
    pub(crate) fn await_ids(&self, table: &str, count: usize) -> Vec<i64> {
        ids(&self.await_messages(table, count))
    }

    pub(crate) fn await_offsets(&self, expected: &Value) {
        wait_until(SOON, &format!("offsets {expected}"), || {
            let offsets = self.get("offsets");
            (offsets["offsets"] == *expected).then_some(())
        });
    }
}

/// The `id` of each record.
pub(crate) fn ids(messages: &[Value]) -> Vec<i64> {
    messages.iter().map(|message| message["payload"]["id"].as_i64().unwrap()).collect()
}
