//! A standalone worker: stores, herder and REST server, on a small runtime of their own.

use std::sync::Arc;
use std::sync::atomic::AtomicI32;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::RwLock;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Plugin, Result};

use crate::cluster_id::look_up_cluster_id;
use crate::config_transformer::resolve_worker_config;
use crate::connector_file::CreateConnector;
use crate::herder::{Completion, ConnectorInfo, ConnectorProgress, Herder, HerderResult, Node, StandaloneHerder};
use crate::memory_budget::MemoryBudget;
use crate::plugins::Plugins;
use crate::rest::{
    Advertised, Listener, LogLevels, Loggers, PeerClient, RestServer, RestState, admin_router, router, serve,
};
use crate::storage::{FileOffsetBackingStore, MemoryConfigBackingStore, MemoryStatusBackingStore};
use crate::validation::{ConnectorValidator, OverridePolicy};
use crate::worker_config::WorkerConfig;

/// Threads for REST and the herder; tasks and plug-ins have their own.
const CONTROL_THREADS: usize = 2;

/// Time beyond the tasks' shutdown time-out that connectors have to stop.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(7);

/// Time that requests which are being answered have at the end.
const REST_DRAIN: Duration = Duration::from_secs(1);

/// A running worker. Its calls block; make them from a thread that is in no tokio runtime.
#[derive(Debug)]
pub struct Worker {
    runtime: Runtime,
    herder: Arc<StandaloneHerder>,
    config: Arc<WorkerConfig>,
    advertised: Advertised,
    end: CancellationToken,
    servers: Vec<JoinHandle<()>>,
}

impl Worker {
    /// Starts a worker without connectors. `properties` are those of the worker file, as read.
    ///
    /// When it returns, REST is served; [`Worker::mark_ready`] tells its clients that everything is set up.
    ///
    /// # Errors
    /// `Config` or `Fatal`, naming the key or file that is wrong, or the address that cannot be listened on.
    pub fn start(properties: ConfigMap, plugins: Vec<Plugin>, log_levels: Option<Arc<dyn LogLevels>>) -> Result<Self> {
        let plugins = Arc::new(Plugins::new(plugins));
        let (properties, transformer) = resolve_worker_config(properties, &plugins)?;
        let config = Arc::new(WorkerConfig::standalone(properties)?);
        let policy = OverridePolicy::of_worker(&config)?;
        let node = Arc::new(Node {
            config: Arc::clone(&config),
            plugins,
            transformer: Arc::new(transformer),
            configs: Arc::new(MemoryConfigBackingStore::new()),
            statuses: Arc::new(MemoryStatusBackingStore::new()),
            offsets: Arc::new(FileOffsetBackingStore::open(config.offset_file()?)?),
            budget: Arc::new(MemoryBudget::new(config.memory_budget_bytes())),
            worker_id: RwLock::new(String::new()),
            generation: AtomicI32::new(0),
            log_levels: Arc::new(Loggers::new(log_levels)),
            changes: watch::Sender::new(0),
        });
        check_worker_converters(&node)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(CONTROL_THREADS)
            .thread_name("control")
            .enable_all()
            .build()
            .map_err(|error| Error::fatal("could not start the worker's control threads").with_source(error))?;
        let end = CancellationToken::new();
        let (herder, advertised, servers) = runtime.block_on(Self::serve(&node, policy, &end))?;
        info!("Kafka Connect started");
        Ok(Self { runtime, herder, config, advertised, end, servers })
    }

    async fn serve(
        node: &Arc<Node>,
        policy: OverridePolicy,
        end: &CancellationToken,
    ) -> Result<(Arc<StandaloneHerder>, Advertised, Vec<JoinHandle<()>>)> {
        let config = &node.config;
        let main = bind(config.parsed().list("listeners")).await?;
        let has_admin_key = config.originals().contains_key("admin.listeners");
        let admin = bind(config.parsed().list("admin.listeners")).await?;
        let bound: Vec<_> = main.iter().map(RestServer::bound).collect();
        let advertised = Advertised::new(config, &bound)?;
        *node.worker_id.write() = advertised.worker_id();

        let (plugins, transformer) = (Arc::clone(&node.plugins), Arc::clone(&node.transformer));
        let validator = ConnectorValidator::new(plugins, transformer, policy, None);
        let herder = Arc::new(StandaloneHerder::new(Arc::clone(node), validator));
        info!(worker_id = advertised.worker_id(), "Herder started");
        let kafka_cluster_id = Arc::new(RwLock::new(None));
        look_up_cluster_id(config.worker_admin_properties(), Arc::clone(&kafka_cluster_id), end.clone());
        let state = RestState {
            herder: Arc::clone(&herder) as Arc<dyn Herder>,
            peers: Arc::new(PeerClient::new(config)?),
            loggers: Arc::clone(&node.log_levels),
            kafka_cluster_id,
        };
        let mut servers = Vec::new();
        for server in main {
            servers.push(serve(server, router(state.clone(), !has_admin_key), end.clone()));
        }
        for server in admin {
            servers.push(serve(server, admin_router(state.clone()), end.clone()));
        }
        info!(url = advertised.url(), "REST resources initialized; server is started and ready to handle requests");
        Ok((herder, advertised, servers))
    }

    /// The herder, for those who are in a runtime of their own.
    pub fn herder(&self) -> Arc<StandaloneHerder> {
        Arc::clone(&self.herder)
    }

    /// `http://host:port` of the REST server, with the port that it got.
    pub fn url(&self) -> String {
        self.advertised.url()
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
        let created = self.runtime.block_on(self.herder.put_connector(&name, config, initial_state, false))?;
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
        self.runtime.block_on(self.herder.progress(name))
    }

    /// Ends all tasks and connectors, then the REST server. What does not end in time is left behind.
    pub fn shut_down(self) {
        info!("worker is shutting down");
        let limit = self.config.task_shutdown_timeout() + SHUTDOWN_MARGIN;
        let Self { runtime, herder, end, servers, .. } = self;
        let ended = runtime.block_on(async {
            let shut_down = async {
                herder.shut_down().await;
                end.cancel();
            };
            tokio::time::timeout(limit, shut_down).await
        });
        if ended.is_err() {
            warn!("worker did not end all tasks and connectors in time");
        }
        end.cancel();
        runtime.block_on(end_servers(servers));
        runtime.shutdown_background();
        info!("worker has ended");
    }
}

/// Lets the servers finish what they are answering, for a short time; when it returns, nothing listens any more.
async fn end_servers(servers: Vec<JoinHandle<()>>) {
    let aborts: Vec<_> = servers.iter().map(JoinHandle::abort_handle).collect();
    let mut ending = std::pin::pin!(join_all(servers));
    if tokio::time::timeout(REST_DRAIN, &mut ending).await.is_err() {
        aborts.iter().for_each(tokio::task::AbortHandle::abort);
        ending.await;
    }
}

async fn bind(listeners: &[String]) -> Result<Vec<RestServer>> {
    let mut servers = Vec::with_capacity(listeners.len());
    for listener in listeners {
        servers.push(RestServer::bind(Listener::parse(listener)?).await?);
    }
    Ok(servers)
}

/// A worker whose own converters are wrong would fail every task; better say so now.
fn check_worker_converters(node: &Node) -> Result<()> {
    let none = ConfigMap::new();
    for (key, side) in [("key.converter", volley_api::Side::Key), ("value.converter", volley_api::Side::Value)] {
        node.plugins
            .new_converter(side, &none, &node.config)
            .map_err(|error| Error::config(format!("could not use `{key}` of the worker")).with_source(error))?;
    }
    let headers = node.plugins.new_header_converter(&none, &node.config);
    headers.map_err(|error| Error::config("could not use `header.converter` of the worker").with_source(error))?;
    Ok(())
}
