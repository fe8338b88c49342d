//! A worker's parts in memory.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;

use parking_lot::RwLock;
use tokio::sync::watch;
use volley_api::testing::config_map;

use super::{fake_plugins, fake_transformer};
use crate::herder::{StandaloneHerder, WorkerContext};
use crate::loggers::Loggers;
use crate::memory_budget::MemoryBudget;
use crate::metrics::{Windows, WorkerMetrics};
use crate::plugins::Plugins;
use crate::storage::{
    ConnectorOffsetStores, MemoryConfigBackingStore, MemoryOffsetBackingStore, MemoryStatusBackingStore,
    OffsetBackingStore,
};
use crate::validation::ConnectorValidator;
use crate::worker_config::WorkerConfig;

/// A distributed worker's configuration with some keys more.
pub(crate) fn distributed_config(more: &[(&str, &str)]) -> volley_api::Result<WorkerConfig> {
    let mut config = config_map(&[
        ("bootstrap.servers", "127.0.0.1:1"),
        ("group.id", "workers"),
        ("key.converter", "FakeConverter"),
        ("value.converter", "FakeConverter"),
        ("header.converter", "FakeHeaderConverter"),
        ("config.storage.topic", "configs"),
        ("offset.storage.topic", "offsets"),
        ("status.storage.topic", "statuses"),
    ]);
    config.extend(config_map(more));
    WorkerConfig::distributed(config)
}

/// A standalone worker's configuration with some keys more.
pub(crate) fn standalone_config(more: &[(&str, &str)]) -> volley_api::Result<WorkerConfig> {
    let mut config = config_map(&[
        ("bootstrap.servers", "127.0.0.1:1"),
        ("key.converter", "FakeConverter"),
        ("value.converter", "FakeConverter"),
        ("header.converter", "FakeHeaderConverter"),
        ("offset.storage.file.filename", "unused"),
        ("task.shutdown.graceful.timeout.ms", "2000"),
    ]);
    config.extend(config_map(more));
    WorkerConfig::standalone(config)
}

/// The parts of a worker with fake plug-ins.
pub(crate) fn test_context() -> Arc<WorkerContext> {
    let config = Arc::new(standalone_config(&[]).expect("a valid configuration"));
    let offsets: Arc<dyn OffsetBackingStore> = Arc::new(MemoryOffsetBackingStore::new());
    Arc::new(WorkerContext {
        config: Arc::clone(&config),
        plugins: Arc::new(Plugins::new(fake_plugins())),
        transformer: Arc::new(fake_transformer()),
        configs: Arc::new(MemoryConfigBackingStore::new()),
        statuses: Arc::new(MemoryStatusBackingStore::new()),
        offset_stores: Arc::new(ConnectorOffsetStores::new(config, Arc::clone(&offsets))),
        offsets,
        budget: Arc::new(MemoryBudget::new(1 << 20)),
        worker_id: RwLock::new("worker:8083".to_owned()),
        generation: AtomicI32::new(0),
        metrics: Arc::new(WorkerMetrics::new(Windows::default())),
        log_levels: Arc::new(Loggers::new(None)),
        changes: watch::Sender::new(0),
    })
}

/// A herder on [`test_context`]. Needs a runtime.
pub(crate) fn test_herder() -> Arc<StandaloneHerder> {
    let context = test_context();
    let (plugins, transformer) = (Arc::clone(&context.plugins), Arc::clone(&context.transformer));
    let worker = standalone_config(&[("connector.client.config.override.policy", "Principal")]).unwrap();
    let validator = ConnectorValidator::of_worker(plugins, transformer, &worker).unwrap();
    Arc::new(StandaloneHerder::new(context, validator))
}
