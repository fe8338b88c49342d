//! Properties of Connect workers that are quick about everything: the same for Java and Volley.

use super::Kafka;
use super::kafka::fetch_client;

/// The properties of a worker, in the order of its file.
pub(crate) type WorkerProperties = Vec<(&'static str, String)>;

const CONVERTERS: [(&str, &str); 3] = [
    ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
    ("plugin.discovery", "service_load"),
];

/// A standalone worker, which keeps offsets in its own directory.
pub(crate) fn standalone_properties(bootstrap_servers: &str) -> WorkerProperties {
    let mut properties = vec![("bootstrap.servers", bootstrap_servers.to_owned())];
    let more = [("offset.storage.file.filename", "connect.offsets"), ("offset.flush.interval.ms", "500")];
    properties.extend(CONVERTERS.into_iter().chain(more).map(|(key, value)| (key, value.to_owned())));
    properties.extend(fetch_client().map(|client| ("consumer.volley.fetch.client", client)));
    properties
}

/// A member of the worker group `group`, whose internal topics are named after it. A member that dies is missed after two
/// seconds, and what it ran is given away one second later.
pub(crate) fn distributed_properties(kafka: &Kafka, group: &str) -> WorkerProperties {
    let mut properties = vec![
        ("bootstrap.servers", kafka.bootstrap_servers()),
        ("group.id", group.to_owned()),
        ("config.storage.topic", format!("{group}-configs")),
        ("offset.storage.topic", format!("{group}-offsets")),
        ("status.storage.topic", format!("{group}-status")),
    ];
    let more = [
        ("config.storage.replication.factor", "1"),
        ("offset.storage.replication.factor", "1"),
        ("offset.storage.partitions", "5"),
        ("status.storage.replication.factor", "1"),
        ("status.storage.partitions", "2"),
        ("session.timeout.ms", "2000"),
        ("heartbeat.interval.ms", "300"),
        ("rebalance.timeout.ms", "10000"),
        ("scheduled.rebalance.max.delay.ms", "1000"),
        ("offset.flush.interval.ms", "500"),
        ("consumer.session.timeout.ms", "2000"),
        ("consumer.heartbeat.interval.ms", "300"),
    ];
    properties.extend(CONVERTERS.into_iter().chain(more).map(|(key, value)| (key, value.to_owned())));
    properties.extend(fetch_client().map(|client| ("consumer.volley.fetch.client", client)));
    properties
}
