//! The settings of the Kafka clients that read and replay dead letters.

use std::fmt;

use volley_api::ConfigMap;

use crate::worker_config::WorkerConfig;

const CLIENT_ID: &str = "volley-dlq";

/// Settings of a consumer, a producer and an admin client, with the keys of Java's clients.
#[derive(Clone)]
pub struct DeadLetterClients {
    pub(crate) consumer: ConfigMap,
    pub(crate) producer: ConfigMap,
    pub(crate) admin: ConfigMap,
}

impl fmt::Debug for DeadLetterClients {
    /// Shows no values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetterClients").finish_non_exhaustive()
    }
}

impl DeadLetterClients {
    /// Those of a worker's connectors.
    pub fn of_worker(config: &WorkerConfig) -> Self {
        let none = ConfigMap::new();
        Self::new(
            config.consumer_properties(&none, CLIENT_ID, 0),
            config.producer_properties(&none, CLIENT_ID, 0),
            config.worker_admin_properties(),
        )
    }

    /// Those of a file that Kafka's own tools take, too: all clients have the same.
    pub fn of_client(properties: &ConfigMap) -> Self {
        Self::new(properties.clone(), properties.clone(), properties.clone())
    }

    /// The same, of another cluster, or reached another way.
    #[must_use]
    pub fn at(mut self, bootstrap_servers: &str) -> Self {
        for properties in [&mut self.consumer, &mut self.producer, &mut self.admin] {
            set(properties, &[("bootstrap.servers", bootstrap_servers)]);
        }
        self
    }

    fn new(mut consumer: ConfigMap, mut producer: ConfigMap, mut admin: ConfigMap) -> Self {
        for properties in [&mut consumer, &mut producer, &mut admin] {
            set(properties, &[("client.id", CLIENT_ID)]);
        }
        // all of the topic is read, by nobody's leave and without a trace
        set(&mut consumer, &[("auto.offset.reset", "earliest"), ("enable.auto.commit", "false")]);
        for key in ["group.id", "group.instance.id"] {
            consumer.shift_remove(key);
        }
        // what a user waits for gives up, where a worker does not
        let settings = [
            ("acks", "all"),
            ("max.in.flight.requests.per.connection", "1"),
            ("max.block.ms", "60000"),
            ("delivery.timeout.ms", "120000"),
        ];
        set(&mut producer, &settings);
        producer.shift_remove("transactional.id");
        Self { consumer, producer, admin }
    }
}

fn set(properties: &mut ConfigMap, settings: &[(&str, &str)]) {
    properties.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn a_worker_s_settings_of_each_client_are_taken_but_nothing_is_consumed_in_a_group() {
        let config = config_map(&[
            ("bootstrap.servers", "k:9092"),
            ("security.protocol", "SSL"),
            ("consumer.security.protocol", "SASL_SSL"),
            ("consumer.group.instance.id", "me"),
            ("consumer.auto.offset.reset", "latest"),
            ("producer.compression.type", "zstd"),
            ("producer.delivery.timeout.ms", "2147483647"),
            ("key.converter", "JsonConverter"),
            ("value.converter", "JsonConverter"),
            ("offset.storage.file.filename", "/tmp/offsets"),
        ]);
        let clients = DeadLetterClients::of_worker(&WorkerConfig::standalone(config).unwrap());
        assert_eq!(clients.consumer["security.protocol"], "SASL_SSL");
        assert_eq!(clients.consumer["auto.offset.reset"], "earliest");
        assert!(!clients.consumer.contains_key("group.id") && !clients.consumer.contains_key("group.instance.id"));
        assert_eq!(clients.producer["compression.type"], "zstd");
        assert_eq!(clients.producer["delivery.timeout.ms"], "120000");
        assert_eq!(
            (clients.admin["security.protocol"].as_str(), &*clients.admin["bootstrap.servers"]),
            ("SSL", "k:9092")
        );
        let clients = clients.at("other:1");
        for properties in [&clients.consumer, &clients.producer, &clients.admin] {
            assert_eq!(properties["bootstrap.servers"], "other:1");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let clients = DeadLetterClients::of_client(&config_map(&[("sasl.jaas.config", "hush")]));
        assert!(!format!("{clients:?}").contains("hush"));
        assert_eq!(clients.producer["sasl.jaas.config"], "hush");
    }
}
