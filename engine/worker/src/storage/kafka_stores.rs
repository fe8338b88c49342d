//! The three stores of a distributed worker.

use std::sync::Arc;
use std::thread;

use volley_api::{Error, Result};

use super::internal_topics::InternalTopics;
use super::{KafkaConfigBackingStore, KafkaOffsetBackingStore, KafkaStatusBackingStore};
use crate::storage::ConfigUpdateListener;
use crate::worker_config::WorkerConfig;

/// The stores of a distributed worker, opened at the same time. They share a client for reading offsets.
#[derive(Debug)]
pub struct KafkaStores {
    /// Source offsets.
    pub offsets: KafkaOffsetBackingStore,
    /// Statuses.
    pub statuses: KafkaStatusBackingStore,
    /// Configurations.
    pub configs: KafkaConfigBackingStore,
}

impl KafkaStores {
    /// Opens all three and reads their topics. Blocks.
    ///
    /// # Errors
    /// The error of the offset store, otherwise that of the status store, otherwise that of the config store.
    pub fn start(config: &WorkerConfig, listener: ConfigUpdateListener) -> Result<Self> {
        let topics = topics_of(config)?;
        let (offsets, statuses, configs) = thread::scope(|scope| {
            let offsets = scope.spawn(|| {
                KafkaOffsetBackingStore::open(config, &topics, &config.offset_topic(), config.offset_log_clients())
            });
            let statuses = scope.spawn(|| KafkaStatusBackingStore::open(config, &topics));
            let configs = KafkaConfigBackingStore::open(config, &topics, Arc::clone(&listener));
            (offsets.join(), statuses.join(), configs)
        });
        Ok(Self {
            offsets: offsets.unwrap_or_else(|_| Err(panicked("offset")))?,
            statuses: statuses.unwrap_or_else(|_| Err(panicked("status")))?,
            configs: configs?,
        })
    }
}

fn panicked(store: &str) -> Error {
    Error::fatal(format!("the {store} store could not be started: its start panicked"))
}

/// The worker's access to its internal topics.
pub(super) fn topics_of(config: &WorkerConfig) -> Result<InternalTopics> {
    InternalTopics::connect(config.shared_admin_properties(), config.default_api_timeout(), config.retry_backoff())
}
