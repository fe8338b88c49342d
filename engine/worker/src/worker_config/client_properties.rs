//! The settings of connectors' Kafka clients: fixed defaults, then the worker's prefixed settings, then the connector's
//! overrides. Keys are those of the Java clients; volley-kafka translates them.

use volley_api::ConfigMap;

use super::{LogClients, WorkerConfig, WorkerMode, without_prefix};

const CLIENT_PREFIXES: [&str; 3] = ["producer.", "consumer.", "admin."];

/// Un-prefixed worker keys that no Kafka client has. Admin clients inherit all other keys.
const WORKER_PREFIXES: [&str; 30] = [
    "access.control.",
    "config.providers",
    "config.storage.",
    "connect.protocol",
    "connector.client.config.override.",
    "exactly.once.source.support",
    "group.id",
    "header.converter",
    "heartbeat.interval.ms",
    "inter.worker.",
    "internal.key.converter",
    "internal.value.converter",
    "key.converter",
    "admin.listeners",
    "listeners",
    "metric",
    "offset.",
    "plugin.",
    "rebalance.timeout.ms",
    "response.http.",
    "rest.",
    "scheduled.rebalance.max.delay.ms",
    "session.timeout.ms",
    "ssl.client.auth",
    "status.storage.",
    "task.",
    "topic.",
    "value.converter",
    "volley.",
    "worker.",
];

impl WorkerConfig {
    /// Settings of the consumer of sink task `task` of connector `name`.
    pub fn consumer_properties(&self, connector_config: &ConfigMap, name: &str, task: usize) -> ConfigMap {
        let mut properties = self.client_defaults(&format!("connector-consumer-{name}-{task}"));
        properties.insert("group.id".into(), format!("connect-{name}"));
        properties.insert("enable.auto.commit".into(), "false".into());
        properties.insert("auto.offset.reset".into(), "earliest".into());
        self.inherit(properties, "consumer", connector_config)
    }

    /// Settings of the producer of source task `task` of connector `name`.
    pub fn producer_properties(&self, connector_config: &ConfigMap, name: &str, task: usize) -> ConfigMap {
        self.producer(&format!("connector-producer-{name}-{task}"), connector_config)
    }

    /// The `transactional.id` of the producer of a source task that delivers exactly once (KIP-618): the same for every worker of
    /// the group, so that one fences the other.
    pub fn task_transactional_id(&self, name: &str, task: usize) -> String {
        format!("{}-{name}-{task}", self.group_id())
    }

    /// Settings of the producer of a source task that delivers exactly once, and the keys of which the user has given another
    /// value than there can be.
    pub fn transactional_producer_properties(
        &self,
        connector_config: &ConfigMap,
        name: &str,
        task: usize,
    ) -> (ConfigMap, Vec<&'static str>) {
        let mut properties = self.producer_properties(connector_config, name, task);
        let fixed =
            [("enable.idempotence", "true".to_owned()), ("transactional.id", self.task_transactional_id(name, task))];
        let mut overruled = Vec::new();
        for (key, value) in fixed {
            let given = [format!("producer.override.{key}"), format!("producer.{key}")];
            let is_given = |given: &String| {
                let given = connector_config.get(given).or_else(|| self.originals().get(given));
                given.is_some_and(|given| given.trim() != value)
            };
            if given.iter().any(is_given) {
                overruled.push(key);
            }
            properties.insert(key.into(), value);
        }
        (properties, overruled)
    }

    /// Settings of the producer to the dead letter queue of sink task `task` of connector `name`.
    pub fn dlq_producer_properties(&self, connector_config: &ConfigMap, name: &str, task: usize) -> ConfigMap {
        self.producer(&format!("connector-dlq-producer-{name}-{task}"), connector_config)
    }

    /// Settings of the admin client of task `task` of connector `name`.
    pub fn admin_properties(&self, connector_config: &ConfigMap, name: &str, task: usize) -> ConfigMap {
        self.admin(&format!("connector-adminclient-{name}-{task}"), connector_config)
    }

    /// Settings of the admin client that creates dead letter topics.
    pub fn dlq_admin_properties(&self, connector_config: &ConfigMap) -> ConfigMap {
        self.admin("connector-dlq-adminclient-", connector_config)
    }

    /// Settings of the worker's admin client for reading and changing the offsets of connector `name`.
    pub fn offsets_admin_properties(&self, connector_config: &ConfigMap, name: &str) -> ConfigMap {
        self.admin(&format!("connector-worker-adminclient-{name}"), connector_config)
    }

    /// Settings of the clients of a topic in which connector `name` keeps its own offsets.
    pub fn offset_store_clients(&self, connector_config: &ConfigMap, name: &str) -> LogClients {
        let mut defaults = self.client_defaults(&format!("connector-consumer-{name}"));
        defaults.insert("enable.auto.commit".into(), "false".into());
        defaults.insert("isolation.level".into(), "read_committed".into());
        let mut consumer = self.inherit(defaults, "consumer", connector_config);
        // the whole topic is read, without a group
        consumer.insert("auto.offset.reset".into(), "earliest".into());
        consumer.shift_remove("group.id");
        LogClients { producer: self.producer(&format!("connector-producer-{name}"), connector_config), consumer }
    }

    /// Settings of the worker's own admin client.
    pub fn worker_admin_properties(&self) -> ConfigMap {
        match self.mode() {
            WorkerMode::Standalone => self.admin("connect-shared-admin", &ConfigMap::new()),
            WorkerMode::Distributed => self.shared_admin_properties(),
        }
    }

    fn client_defaults(&self, client_id: &str) -> ConfigMap {
        ConfigMap::from_iter([
            ("bootstrap.servers".to_owned(), self.bootstrap_servers()),
            ("client.id".to_owned(), client_id.to_owned()),
        ])
    }

    fn producer(&self, client_id: &str, connector_config: &ConfigMap) -> ConfigMap {
        let mut properties = self.client_defaults(client_id);
        properties.insert("max.block.ms".into(), i64::MAX.to_string());
        properties.insert("enable.idempotence".into(), "false".into());
        properties.insert("acks".into(), "all".into());
        properties.insert("max.in.flight.requests.per.connection".into(), "1".into());
        properties.insert("delivery.timeout.ms".into(), i32::MAX.to_string());
        self.inherit(properties, "producer", connector_config)
    }

    fn admin(&self, client_id: &str, connector_config: &ConfigMap) -> ConfigMap {
        let mut properties = self.client_defaults(client_id);
        properties.extend(self.client_settings());
        self.inherit(properties, "admin", connector_config)
    }

    /// The un-prefixed settings that a client may have.
    pub(super) fn client_settings(&self) -> ConfigMap {
        let inherited = self.originals().iter().filter(|(key, _)| is_client_key(key));
        inherited.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    fn inherit(&self, mut properties: ConfigMap, client: &str, connector_config: &ConfigMap) -> ConfigMap {
        properties.extend(without_prefix(self.originals(), &format!("{client}.")));
        properties.extend(without_prefix(connector_config, &format!("{client}.override.")));
        properties
    }
}

fn is_client_key(key: &str) -> bool {
    !CLIENT_PREFIXES.iter().chain(&WORKER_PREFIXES).any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn worker(more: &[(&str, &str)]) -> WorkerConfig {
        let mut config = config_map(&[
            ("bootstrap.servers", "k1:9092, k2:9092"),
            ("key.converter", "JsonConverter"),
            ("key.converter.schemas.enable", "true"),
            ("value.converter", "JsonConverter"),
            ("offset.storage.file.filename", "/tmp/offsets"),
        ]);
        config.extend(config_map(more));
        WorkerConfig::standalone(config).unwrap()
    }

    #[test]
    fn consumer_overrides_beat_the_worker_and_the_worker_beats_the_defaults() {
        let worker = worker(&[
            ("security.protocol", "SSL"),
            ("consumer.auto.offset.reset", "latest"),
            ("consumer.max.poll.records", "10"),
        ]);
        let overrides = config_map(&[("consumer.override.group.id", "mine"), ("producer.override.acks", "0")]);
        let properties = worker.consumer_properties(&overrides, "orders", 3);
        assert_eq!(
            properties,
            config_map(&[
                ("bootstrap.servers", "k1:9092,k2:9092"),
                ("client.id", "connector-consumer-orders-3"),
                ("group.id", "mine"),
                ("enable.auto.commit", "false"),
                ("auto.offset.reset", "latest"),
                ("max.poll.records", "10"),
            ])
        );
    }

    #[test]
    fn producers_are_ordered_and_safe_unless_the_user_says_otherwise() {
        let properties = worker(&[]).producer_properties(&config_map(&[("producer.override.acks", "1")]), "orders", 0);
        assert_eq!(properties["acks"], "1");
        assert_eq!(properties["max.in.flight.requests.per.connection"], "1");
        assert_eq!(properties["client.id"], "connector-producer-orders-0");
        let dead_letters = worker(&[]).dlq_producer_properties(&config_map(&[]), "orders", 0);
        assert_eq!(dead_letters["client.id"], "connector-dlq-producer-orders-0");
    }

    #[test]
    fn a_transactional_producer_is_named_after_its_task_whatever_the_user_says() {
        let worker = crate::testing::distributed_config(&[("producer.enable.idempotence", "false")]).unwrap();
        let overrides =
            config_map(&[("producer.override.transactional.id", "mine"), ("producer.override.acks", "all")]);
        let (properties, overruled) = worker.transactional_producer_properties(&overrides, "orders", 2);
        assert_eq!(properties["transactional.id"], "workers-orders-2");
        assert_eq!(properties["enable.idempotence"], "true");
        assert_eq!(overruled, ["enable.idempotence", "transactional.id"]);
        let worker = crate::testing::distributed_config(&[]).unwrap();
        assert!(worker.transactional_producer_properties(&config_map(&[]), "orders", 2).1.is_empty());
    }

    #[test]
    fn a_store_of_a_connector_s_own_is_where_its_records_are() {
        let overrides = config_map(&[
            ("producer.override.bootstrap.servers", "k3:9092"),
            ("consumer.override.bootstrap.servers", "k3:9092"),
            ("consumer.override.group.id", "mine"),
            ("consumer.override.auto.offset.reset", "latest"),
        ]);
        let clients = worker(&[]).offset_store_clients(&overrides, "orders");
        assert_eq!(clients.producer["bootstrap.servers"], "k3:9092");
        assert_eq!(
            clients.consumer,
            config_map(&[
                ("bootstrap.servers", "k3:9092"),
                ("client.id", "connector-consumer-orders"),
                ("enable.auto.commit", "false"),
                ("isolation.level", "read_committed"),
                ("auto.offset.reset", "earliest"),
            ])
        );
    }

    #[test]
    fn admin_clients_inherit_the_worker_s_own_connection_settings() {
        let worker = worker(&[("security.protocol", "SSL"), ("ssl.ca", "x"), ("admin.retries", "3"), ("topic.x", "y")]);
        let properties = worker.admin_properties(&config_map(&[("admin.override.retries", "4")]), "orders", 1);
        assert_eq!(
            properties,
            config_map(&[
                ("bootstrap.servers", "k1:9092, k2:9092"),
                ("client.id", "connector-adminclient-orders-1"),
                ("security.protocol", "SSL"),
                ("ssl.ca", "x"),
                ("retries", "4"),
            ])
        );
    }
}
