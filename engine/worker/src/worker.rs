//! A standalone worker: stores in memory and in a file, herder and REST server.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::watch;
use tracing::{info, warn};
use volley_api::{ConfigMap, Result};
use volley_kafka::{ClientRole, check_bootstrap_servers};

use crate::cluster_id::ClusterId;
use crate::config_transformer::ConfigTransformer;
use crate::connector_file::CreateConnector;
use crate::error::HerderResult;
use crate::herder::{Completion, ConnectorInfo, ConnectorProgress, Herder, StandaloneHerder, WorkerContext};
use crate::loggers::{LogLevels, Loggers};
use crate::memory_budget::MemoryBudget;
use crate::metrics::{Windows, WorkerMetrics};
use crate::plugins::OfferedPlugins;
use crate::rest_frontend::{RestFrontend, check_worker_converters, warn_of_missing_locations};
use crate::storage::{
    ConnectorOffsetStores, FileOffsetBackingStore, MemoryConfigBackingStore, MemoryStatusBackingStore,
    OffsetBackingStore,
};
use crate::validation::ConnectorValidator;
use crate::worker_config::{WorkerConfig, unknown_keys};
use crate::worker_file::WorkerFile;

/// Time beyond the tasks' shutdown time-out that connectors have to stop.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(7);

/// A running standalone worker. Its calls block; make them from a thread that is in no tokio runtime.
#[derive(Debug)]
pub struct Worker {
    front: RestFrontend,
    herder: Arc<StandaloneHerder>,
    transformer: Arc<ConfigTransformer>,
    config: Arc<WorkerConfig>,
}

impl Worker {
    /// Starts a worker without connectors. `properties` are those of the worker file, as read.
    ///
    /// When it returns, REST is served; [`Worker::mark_ready`] tells its clients that everything is set up.
    ///
    /// # Errors
    /// `Config` or `Fatal`, naming the key or file that is wrong, or the address that cannot be listened on.
    pub fn start(
        properties: ConfigMap,
        plugins: impl Into<OfferedPlugins>,
        log_levels: Option<Arc<dyn LogLevels>>,
    ) -> Result<Self> {
        let WorkerFile { properties, transformer, plugins } = WorkerFile::open(properties, plugins)?;
        let plugins = Arc::new(plugins);
        let config = Arc::new(WorkerConfig::standalone(properties)?);
        if let Some(line) = unknown_keys(config.originals()) {
            warn!("{line}");
        }
        warn_of_missing_locations(&config);
        check_worker_converters(&plugins, &config)?;
        check_bootstrap_servers(&config.worker_admin_properties(), ClientRole::Admin)?;
        let offsets: Arc<dyn OffsetBackingStore> = Arc::new(FileOffsetBackingStore::open(config.offset_file()?)?);
        let front = RestFrontend::open(&config)?;
        let log_levels = Arc::new(Loggers::new(log_levels).and_of(plugins.java_processes()));
        let context = Arc::new(WorkerContext {
            config: Arc::clone(&config),
            plugins,
            transformer: Arc::new(transformer),
            configs: Arc::new(MemoryConfigBackingStore::new()),
            statuses: Arc::new(MemoryStatusBackingStore::new()),
            offset_stores: Arc::new(ConnectorOffsetStores::new(Arc::clone(&config), Arc::clone(&offsets))),
            offsets,
            budget: Arc::new(MemoryBudget::new(config.memory_budget_bytes())),
            worker_id: RwLock::new(front.advertised.worker_id()),
            generation: AtomicI32::new(0),
            metrics: Arc::new(WorkerMetrics::new(Windows::of(&config))),
            log_levels,
            changes: watch::Sender::new(0),
        });
        let (plugins, transformer) = (Arc::clone(&context.plugins), Arc::clone(&context.transformer));
        let validator = ConnectorValidator::of_worker(plugins, transformer, &config)?;
        context.tell_heaps_of_groups();
        let cluster_id = ClusterId::look_up(config.worker_admin_properties(), front.end.clone())?;
        let herder = {
            let _runtime = front.runtime.enter();
            Arc::new(StandaloneHerder::new(Arc::clone(&context), validator))
        };
        info!(worker_id = context.worker_id(), "Herder started");
        front.serve(&context, Arc::clone(&herder) as Arc<dyn Herder>, cluster_id);
        info!("Kafka Connect started");
        Ok(Self { front, herder, transformer: Arc::clone(&context.transformer), config })
    }

    /// The herder, for those who are in a runtime of their own.
    pub fn herder(&self) -> Arc<StandaloneHerder> {
        Arc::clone(&self.herder)
    }

    /// `http://host:port` of the REST server, with the port that it got.
    pub fn url(&self) -> String {
        self.front.advertised.url()
    }

    /// The worker's configuration.
    pub fn config(&self) -> &Arc<WorkerConfig> {
        &self.config
    }

    /// Creates a connector, as `POST /connectors` does.
    ///
    /// # Errors
    /// That of the herder.
    pub fn create_connector(&self, connector: CreateConnector) -> HerderResult<ConnectorInfo> {
        let CreateConnector { name, config, initial_state } = connector;
        let created = self.front.runtime.block_on(self.herder.put_connector(&name, config, initial_state, false))?;
        Ok(created.info)
    }

    /// All connectors of the command line are there: `/health` says so from now on.
    pub fn mark_ready(&self) {
        self.herder.mark_ready();
    }

    /// Becomes ready when every bounded connector is done; tells what each did.
    ///
    /// # Errors
    /// See [`StandaloneHerder::await_all_bounded_done`].
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn bounded_done(&self) -> Result<Vec<(String, Completion)>> {
        self.herder.await_all_bounded_done().await
    }

    /// What a connector has done so far.
    ///
    /// # Errors
    /// If there is no such connector.
    pub fn progress(&self, name: &str) -> HerderResult<ConnectorProgress> {
        self.front.runtime.block_on(self.herder.progress(name))
    }

    /// Ends all tasks and connectors, then the REST server. What does not end in time is left behind.
    pub fn shut_down(self) {
        info!("worker is shutting down");
        let limit = self.config.task_shutdown_timeout() + SHUTDOWN_MARGIN;
        let Self { front, herder, transformer, .. } = self;
        // A time-out is made within the runtime.
        let ended = front.runtime.block_on(async { tokio::time::timeout(limit, herder.shut_down()).await });
        if ended.is_err() {
            warn!("worker did not end all tasks and connectors in time");
        }
        transformer.close();
        front.close();
        info!("worker has ended");
    }
}
