//! A worker of a group: stores in Kafka, herder and REST server.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::watch;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Result};
use volley_kafka::{ClientRole, check_bootstrap_servers};

use crate::cluster_id::ClusterId;
use crate::config_transformer::ConfigTransformer;
use crate::herder::{ConfigUpdates, DistributedHerder, Herder, WorkerContext};
use crate::loggers::{LogLevels, Loggers};
use crate::memory_budget::MemoryBudget;
use crate::metrics::{Windows, WorkerMetrics};
use crate::plugins::{OfferedPlugins, Plugins};
use crate::rest_frontend::{RestFrontend, check_worker_converters, warn_of_missing_locations};
use crate::spawned_task::SpawnedTask;
use crate::storage::{ConnectorOffsetStores, KafkaStores, OffsetBackingStore};
use crate::validation::{ConnectorValidator, OverridePolicy};
use crate::worker_config::{WorkerConfig, unknown_keys};
use crate::worker_file::WorkerFile;

/// Time beyond the tasks' shutdown time-out that connectors have to stop, and the worker to leave its group.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(20);

/// A running worker of a group. Its calls block; make them from a thread that is in no tokio runtime.
#[derive(Debug)]
pub struct DistributedWorker {
    front: RestFrontend,
    context: Arc<WorkerContext>,
    herder_loop: SpawnedTask,
}

impl DistributedWorker {
    /// Starts a worker. `properties` are those of the worker file, as read. It listens at once; when this returns, it has
    /// read the internal topics, and is joining its group.
    ///
    /// # Errors
    /// `Config` or `Fatal`, naming the key that is wrong, the address that cannot be listened on, or the internal topic that
    /// cannot be used.
    pub fn start(
        properties: ConfigMap,
        plugins: impl Into<OfferedPlugins>,
        log_levels: Option<Arc<dyn LogLevels>>,
    ) -> Result<Self> {
        let WorkerFile { properties, transformer, plugins } = WorkerFile::open(properties, plugins)?;
        let plugins = Arc::new(plugins);
        let config = Arc::new(WorkerConfig::distributed(properties)?);
        // said now rather than after the internal topics are read
        OverridePolicy::of_worker(&config)?;
        if let Some(line) = unknown_keys(config.originals()) {
            warn!("{line}");
        }
        warn_of_missing_locations(&config);
        check_worker_converters(&plugins, &config)?;
        check_bootstrap_servers(&config.worker_admin_properties(), ClientRole::Admin)?;
        let front = RestFrontend::open(&config)?;
        match Self::start_behind(&front, config, plugins, transformer, log_levels) {
            Ok((context, herder_loop)) => Ok(Self { front, context, herder_loop }),
            Err(error) => {
                front.close();
                Err(error)
            }
        }
    }

    fn start_behind(
        front: &RestFrontend,
        config: Arc<WorkerConfig>,
        plugins: Arc<Plugins>,
        transformer: ConfigTransformer,
        log_levels: Option<Arc<dyn LogLevels>>,
    ) -> Result<(Arc<WorkerContext>, SpawnedTask)> {
        let log_levels = Arc::new(Loggers::new(log_levels).and_of(plugins.java_processes()));
        let updates = Arc::new(ConfigUpdates::new(Arc::clone(&log_levels)));
        let listener = Arc::clone(&updates);
        let cluster_id = ClusterId::ask(&config.worker_admin_properties())?;
        info!("reading the internal topics");
        let KafkaStores { offsets, statuses, configs } =
            KafkaStores::start(&config, Arc::new(move |update| listener.add(update)))?;
        let offsets: Arc<dyn OffsetBackingStore> = Arc::new(offsets);
        let context = Arc::new(WorkerContext {
            config: Arc::clone(&config),
            plugins,
            transformer: Arc::new(transformer),
            configs: Arc::new(configs),
            statuses: Arc::new(statuses),
            offset_stores: Arc::new(ConnectorOffsetStores::new(Arc::clone(&config), Arc::clone(&offsets))),
            offsets,
            budget: Arc::new(MemoryBudget::new(config.memory_budget_bytes())),
            worker_id: RwLock::new(front.advertised.worker_id()),
            generation: AtomicI32::new(-1),
            metrics: Arc::new(WorkerMetrics::new(Windows::of(&config))),
            log_levels,
            changes: watch::Sender::new(0),
        });
        let (plugins, transformer) = (Arc::clone(&context.plugins), Arc::clone(&context.transformer));
        let validator = ConnectorValidator::of_worker(plugins, transformer, &config)?;
        context.watch_statuses();
        context.tell_heaps_of_groups();
        let (herder, herder_loop) = {
            let _runtime = front.runtime.enter();
            let url = format!("{}/", front.advertised.url());
            DistributedHerder::start(
                Arc::clone(&context),
                validator,
                updates,
                front.peers(),
                url,
                front.end.child_token(),
            )?
        };
        info!(worker_id = context.worker_id(), "Herder started");
        front.serve(&context, Arc::new(herder) as Arc<dyn Herder>, cluster_id);
        info!("Kafka Connect started");
        Ok((context, herder_loop))
    }

    /// `http://host:port` of the REST server, with the port that it got.
    pub fn url(&self) -> String {
        self.front.advertised.url()
    }

    /// Returns when the worker cannot go on, with the reason.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub async fn failed(&mut self) -> Error {
        match self.herder_loop.outcome().await {
            Ok(()) => Error::fatal("the herder has ended"),
            Err(error) => Error::fatal("the herder has ended: this is a defect of Volley").with_source(error),
        }
    }

    /// Ends all tasks and connectors, leaves the group, and ends the REST server. What does not end in time is left behind.
    pub fn shut_down(self) {
        info!("worker is shutting down");
        let Self { front, context, mut herder_loop } = self;
        let limit = context.config.task_shutdown_timeout() + SHUTDOWN_MARGIN;
        front.end.cancel();
        // A time-out is made within the runtime.
        let ended = front.runtime.block_on(async { tokio::time::timeout(limit, herder_loop.outcome()).await });
        if ended.is_err() {
            warn!("worker did not end all tasks and connectors in time");
        }
        context.transformer.close();
        context.statuses.stop();
        context.offsets.stop();
        context.configs.stop();
        front.close();
        info!("worker has ended");
    }
}
