//! Selects the offset store of each source connector.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tracing::info;
use volley_api::{ConfigMap, Result};

use crate::storage::internal_topics::InternalTopics;
use crate::storage::{ConnectorOffsetBackingStore, KafkaOffsetBackingStore, OffsetBackingStore};
use crate::worker_config::{InternalTopic, LogClients, WorkerConfig, WorkerMode};

/// The key with which a connector requests a topic of its own.
const TOPIC: &str = "offsets.storage.topic";

/// The settings that identify a connector's store.
#[derive(Clone, PartialEq)]
struct Wanted {
    topic: InternalTopic,
    clients: LogClients,
    admin: ConfigMap,
}

/// A connector's store, as long as it is in use.
#[derive(Default)]
struct Opened {
    wanted: Option<Wanted>,
    store: Option<Weak<ConnectorOffsetBackingStore>>,
}

/// Finds the store of each connector: the worker's, or one of its own. All tasks of a connector share its own store,
/// which is closed after the last use.
pub struct ConnectorOffsetStores {
    config: Arc<WorkerConfig>,
    worker: Arc<dyn OffsetBackingStore>,
    opened: Mutex<BTreeMap<String, Arc<Mutex<Opened>>>>,
}

impl fmt::Debug for ConnectorOffsetStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorOffsetStores").finish_non_exhaustive()
    }
}

impl ConnectorOffsetStores {
    /// `worker` is the store for connectors without one of their own.
    pub fn new(config: Arc<WorkerConfig>, worker: Arc<dyn OffsetBackingStore>) -> Self {
        Self { config, worker, opened: Mutex::default() }
    }

    /// Whether a connector has a store of its own: then [`ConnectorOffsetStores::of`] blocks on I/O.
    pub fn has_own(&self, connector: &str, config: &ConfigMap) -> bool {
        self.wanted(connector, config).is_some()
    }

    /// The store of a connector. The variables of `config` MUST be resolved. Blocks on I/O if the store has to be
    /// opened.
    ///
    /// # Errors
    /// `Config` if its topic is unsuitable or cannot be created; `Retriable` if the brokers do not answer.
    pub fn of(&self, connector: &str, config: &ConfigMap) -> Result<Arc<dyn OffsetBackingStore>> {
        let Some(wanted) = self.wanted(connector, config) else { return Ok(Arc::clone(&self.worker)) };
        let opened = Arc::clone(self.opened.lock().entry(connector.to_owned()).or_default());
        let mut opened = opened.lock();
        let present = opened.store.as_ref().and_then(Weak::upgrade);
        if let Some(present) = present.filter(|_| opened.wanted.as_ref() == Some(&wanted)) {
            return Ok(present);
        }
        let store = Arc::new(self.open(&wanted)?);
        info!(connector, topic = wanted.topic.name, "connector keeps its offsets in a topic of its own");
        *opened = Opened { wanted: Some(wanted), store: Some(Arc::downgrade(&store)) };
        drop(opened);
        self.forget_closed();
        Ok(store)
    }

    fn open(&self, wanted: &Wanted) -> Result<ConnectorOffsetBackingStore> {
        let (time_limit, backoff) = (self.config.default_api_timeout(), self.config.retry_backoff());
        let topics = InternalTopics::connect(wanted.admin.clone(), time_limit, backoff)?;
        let own = KafkaOffsetBackingStore::open(&self.config, &topics, &wanted.topic, wanted.clients.clone())?;
        Ok(ConnectorOffsetBackingStore::new(Arc::new(own), Arc::clone(&self.worker)))
    }

    fn forget_closed(&self) {
        let is_open = |opened: &Arc<Mutex<Opened>>| {
            // a locked one is being opened
            opened.try_lock().is_none_or(|opened| opened.store.as_ref().is_some_and(|store| store.strong_count() > 0))
        };
        self.opened.lock().retain(|_, opened| Arc::strong_count(opened) > 1 || is_open(opened));
    }

    /// The store that a connector needs besides the worker's; `None` if it uses the worker's.
    fn wanted(&self, connector: &str, config: &ConfigMap) -> Option<Wanted> {
        if self.config.mode() == WorkerMode::Standalone {
            return None;
        }
        let workers = self.config.offset_topic();
        let named = config.get(TOPIC).map(|topic| topic.trim()).filter(|topic| !topic.is_empty());
        let name = match named {
            Some(name) => name.to_owned(),
            // With exactly-once, offsets must be in the same cluster as the records.
            None if self.config.exactly_once_source_enabled() => workers.name.clone(),
            None => return None,
        };
        let clients = self.config.offset_store_clients(config, connector);
        let servers = clients.producer.get("bootstrap.servers").map_or("", String::as_str);
        if name == workers.name && servers_of(servers) == servers_of(&self.config.bootstrap_servers()) {
            return None;
        }
        let topic = InternalTopic { name, key: TOPIC, ..workers };
        Some(Wanted { topic, clients, admin: self.config.offsets_admin_properties(config, connector) })
    }
}

fn servers_of(list: &str) -> BTreeSet<&str> {
    list.split(',').map(str::trim).filter(|server| !server.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;
    use crate::storage::MemoryOffsetBackingStore;
    use crate::testing::distributed_config;

    fn has_own(worker: &[(&str, &str)], connector: &[(&str, &str)]) -> bool {
        let config = Arc::new(distributed_config(worker).unwrap());
        ConnectorOffsetStores::new(config, Arc::new(MemoryOffsetBackingStore::new()))
            .has_own("c", &config_map(connector))
    }

    #[test]
    fn a_connector_has_a_store_of_its_own_where_its_offsets_are_elsewhere() {
        let elsewhere = ("producer.override.bootstrap.servers", "other:1");
        assert!(!has_own(&[], &[]));
        assert!(!has_own(&[], &[elsewhere]), "only the records are");
        assert!(has_own(&[], &[("offsets.storage.topic", "mine")]));
        assert!(!has_own(&[], &[("offsets.storage.topic", "offsets")]), "the worker's topic");
        assert!(has_own(&[], &[("offsets.storage.topic", "offsets"), elsewhere]));
        let exactly_once = [("exactly.once.source.support", "enabled")];
        assert!(!has_own(&exactly_once, &[]));
        assert!(has_own(&exactly_once, &[elsewhere]), "and the offsets with them");
    }

    #[test]
    fn a_standalone_worker_keeps_all_offsets_in_its_file() {
        let config =
            config_map(&[("key.converter", "x"), ("value.converter", "x"), ("offset.storage.file.filename", "unused")]);
        let config = Arc::new(WorkerConfig::standalone(config).unwrap());
        let stores = ConnectorOffsetStores::new(config, Arc::new(MemoryOffsetBackingStore::new()));
        assert!(!stores.has_own("c", &config_map(&[("offsets.storage.topic", "mine")])));
    }
}
