//! The settings of a distributed worker's own clients: all un-prefixed worker settings, then fixed values that override
//! them.

use volley_api::ConfigMap;

use super::WorkerConfig;

/// The settings of the clients of one internal topic.
#[derive(Clone, PartialEq, Eq)]
pub struct LogClients {
    /// Of the producer.
    pub producer: ConfigMap,
    /// Of the consumer.
    pub consumer: ConfigMap,
}

impl std::fmt::Debug for LogClients {
    /// Prints the keys only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogClients")
            .field("producer", &self.producer.keys().collect::<Vec<_>>())
            .field("consumer", &self.consumer.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl WorkerConfig {
    /// The clients of the config topic.
    pub fn config_log_clients(&self) -> LogClients {
        self.log_clients("configs", self.exactly_once_source_enabled())
    }

    /// The clients of the offset topic.
    pub fn offset_log_clients(&self) -> LogClients {
        self.log_clients("offsets", self.exactly_once_source_enabled())
    }

    /// The clients of the status topic. The producer does not retry: a status may be out of date by then.
    pub fn status_log_clients(&self) -> LogClients {
        let mut clients = self.log_clients("statuses", false);
        clients.producer.insert("retries".into(), "0".into());
        clients.producer.insert("delivery.timeout.ms".into(), "120000".into());
        clients
    }

    /// The producer of the leader, which writes the config topic in transactions.
    pub fn leader_producer_properties(&self) -> ConfigMap {
        let mut producer = self.log_producer("configs-leader");
        producer.insert("enable.idempotence".into(), "true".into());
        producer.insert("transactional.id".into(), format!("connect-cluster-{}", self.group_id()));
        producer
    }

    /// The admin client that all internal topics share.
    pub fn shared_admin_properties(&self) -> ConfigMap {
        self.internal_client("shared-admin")
    }

    /// The client of the worker's membership in its group.
    pub fn group_member_properties(&self, worker_id: &str) -> ConfigMap {
        let client_id = self.parsed().string("client.id").filter(|id| !id.is_empty());
        let client_id = client_id.map_or_else(|| format!("connect-{worker_id}"), str::to_owned);
        self.inherited(client_id)
    }

    fn log_clients(&self, name: &str, read_committed: bool) -> LogClients {
        let mut consumer = self.internal_client(name);
        consumer.insert("auto.offset.reset".into(), "earliest".into());
        consumer.insert("enable.auto.commit".into(), "false".into());
        if read_committed {
            consumer.insert("isolation.level".into(), "read_committed".into());
        }
        LogClients { producer: self.log_producer(name), consumer }
    }

    fn log_producer(&self, name: &str) -> ConfigMap {
        let mut producer = self.internal_client(name);
        producer.shift_remove("group.id");
        producer.insert("acks".into(), "all".into());
        producer.insert("max.in.flight.requests.per.connection".into(), "1".into());
        producer.insert("enable.idempotence".into(), "false".into());
        producer.insert("delivery.timeout.ms".into(), i32::MAX.to_string());
        producer
    }

    /// The client id is `<group.id>[-<client.id>]-<name>`.
    fn internal_client(&self, name: &str) -> ConfigMap {
        let own = self.parsed().string("client.id").filter(|id| !id.is_empty());
        let client_id = own.map_or_else(String::new, |id| format!("{id}-"));
        self.inherited(format!("{}-{client_id}{name}", self.group_id()))
    }

    fn inherited(&self, client_id: String) -> ConfigMap {
        let mut properties = self.client_settings();
        // The client never joins the group, but its permissions for groups apply to this one.
        properties.insert("group.id".into(), self.group_id().to_owned());
        properties.insert("bootstrap.servers".into(), self.bootstrap_servers());
        properties.insert("client.id".into(), client_id);
        // The metrics of these internal clients have no subscribers, and keeping them ready (KIP-714) takes more memory
        // than the clients' data.
        properties.entry("enable.metrics.push".to_owned()).or_insert_with(|| "false".to_owned());
        properties
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::distributed_config;

    #[test]
    fn internal_clients_inherit_what_has_no_prefix_and_are_named_after_the_group() {
        let config = distributed_config(&[
            ("security.protocol", "SSL"),
            ("producer.acks", "0"),
            ("consumer.auto.offset.reset", "latest"),
            ("acks", "1"),
        ])
        .unwrap();
        let clients = config.config_log_clients();
        assert_eq!(clients.producer["client.id"], "workers-configs");
        assert_eq!((clients.producer["acks"].as_str(), clients.producer["security.protocol"].as_str()), ("all", "SSL"));
        assert_eq!(clients.consumer["auto.offset.reset"], "earliest");
        assert!(!clients.consumer.contains_key("isolation.level"));
        for absent in ["producer.acks", "config.storage.topic", "key.converter", "session.timeout.ms"] {
            assert!(!clients.producer.contains_key(absent) && !clients.consumer.contains_key(absent), "{absent}");
        }
        assert_eq!(config.status_log_clients().producer["retries"], "0");
        assert_eq!(config.shared_admin_properties()["client.id"], "workers-shared-admin");
    }

    #[test]
    fn the_client_id_of_the_worker_is_part_of_the_others() {
        let config = distributed_config(&[("client.id", "blue")]).unwrap();
        assert_eq!(config.offset_log_clients().consumer["client.id"], "workers-blue-offsets");
        assert_eq!(config.group_member_properties("h:8083")["client.id"], "blue");
        let config = distributed_config(&[]).unwrap();
        assert_eq!(config.group_member_properties("h:8083")["client.id"], "connect-h:8083");
    }

    #[test]
    fn exactly_once_reads_what_is_committed_and_writes_as_the_group_s_leader() {
        let config = distributed_config(&[("exactly.once.source.support", "enabled")]).unwrap();
        assert_eq!(config.config_log_clients().consumer["isolation.level"], "read_committed");
        assert_eq!(config.offset_log_clients().consumer["isolation.level"], "read_committed");
        let leader = config.leader_producer_properties();
        assert_eq!(leader["transactional.id"], "connect-cluster-workers");
        assert_eq!(leader["client.id"], "workers-configs-leader");
        let preparing = distributed_config(&[("exactly.once.source.support", "preparing")]).unwrap();
        assert!(!preparing.config_log_clients().consumer.contains_key("isolation.level"));
    }
}
