//! The parts of a worker that its connectors, tasks and requests share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::config_transformer::ConfigTransformer;
use crate::connector_config::{JAVA_GROUP, JAVA_HEAP, JAVA_PROCESS};
use crate::loggers::Loggers;
use crate::memory_budget::MemoryBudget;
use crate::metrics::WorkerMetrics;
use crate::plugins::Plugins;
use crate::storage::{ConfigBackingStore, ConnectorOffsetStores, OffsetBackingStore, StatusBackingStore};
use crate::worker_config::WorkerConfig;

/// A worker's configuration, plug-ins, stores and budget.
pub struct WorkerContext {
    /// Configuration.
    pub config: Arc<WorkerConfig>,
    /// Plug-ins.
    pub plugins: Arc<Plugins>,
    /// Resolves variables in configurations.
    pub transformer: Arc<ConfigTransformer>,
    /// Connector and task configurations.
    pub configs: Arc<dyn ConfigBackingStore>,
    /// States.
    pub statuses: Arc<dyn StatusBackingStore>,
    /// Source offsets of connectors that have no store of their own.
    pub offsets: Arc<dyn OffsetBackingStore>,
    /// Source offsets of all connectors.
    pub offset_stores: Arc<ConnectorOffsetStores>,
    /// Bytes that all tasks may hold.
    pub budget: Arc<MemoryBudget>,
    /// `host:port`; known once the REST server listens.
    pub worker_id: RwLock<String>,
    /// Generation of the worker group; 0 in a standalone worker.
    pub generation: AtomicI32,
    /// What is counted of this worker and its tasks.
    pub metrics: Arc<WorkerMetrics>,
    /// The loggers that have a level of their own.
    pub log_levels: Arc<Loggers>,
    /// Counts the changes of states and configurations. Whoever waits for a change subscribes.
    pub changes: watch::Sender<u64>,
}

impl WorkerContext {
    /// `host:port` under which this worker is known.
    pub fn worker_id(&self) -> String {
        self.worker_id.read().clone()
    }

    /// Generation of the worker group.
    pub(crate) fn generation(&self) -> i32 {
        self.generation.load(Ordering::Acquire)
    }

    /// Wakes those who wait for a state also when another worker has written one.
    pub(crate) fn watch_statuses(self: &Arc<Self>) {
        // Weak: the context keeps the store, and the store its listener.
        let context = Arc::downgrade(self);
        self.statuses.on_change(Arc::new(move || {
            if let Some(context) = context.upgrade() {
                context.has_changed();
            }
        }));
    }

    /// Lets a Java process of a group of connectors start with the largest heap that one of them asks for, whichever worker it
    /// runs on.
    pub(crate) fn tell_heaps_of_groups(self: &Arc<Self>) {
        let Some(java) = self.plugins.java_processes() else { return };
        // Weak: the context keeps the plug-ins, and these who asks.
        let context = Arc::downgrade(self);
        java.ask_for_heaps_of_groups(Arc::new(move |group| {
            context.upgrade().map_or_else(Vec::new, |context| context.heaps_of_group(group))
        }));
    }

    fn heaps_of_group(&self, group: &str) -> Vec<String> {
        let (snapshot, usual) = (self.configs.snapshot(), self.config.java_settings().heap);
        let heap = |name| {
            let mut config = snapshot.connector_config(name)?.clone();
            config.retain(|key, _| matches!(key.as_str(), JAVA_PROCESS | JAVA_HEAP));
            // a variable that cannot be resolved fails the connector that has it
            let config = self.transformer.resolve(&config).ok()?;
            let its_group = config.get(JAVA_PROCESS)?.trim().strip_prefix(JAVA_GROUP)?;
            (its_group.trim() == group).then(|| config.get(JAVA_HEAP).map_or(&usual, |heap| heap).trim().to_owned())
        };
        snapshot.connectors().filter_map(heap).collect()
    }

    /// Wakes those who wait for a state.
    pub(crate) fn has_changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl fmt::Debug for WorkerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerContext").field("worker_id", &self.worker_id).finish_non_exhaustive()
    }
}
