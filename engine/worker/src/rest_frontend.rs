//! What every worker has before it has a herder: the control runtime, and REST listeners on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, PluginKind, Result};

use crate::cluster_id::ClusterId;
use crate::herder::{Herder, WorkerContext};
use crate::peers::PeerClient;
use crate::plugins::Plugins;
use crate::rest::{Advertised, RestServer};
use crate::worker_config::WorkerConfig;

/// Threads for REST and the herder; tasks and plug-ins have their own.
const CONTROL_THREADS: usize = 2;

/// Time that requests which are being answered have at the end.
const REST_DRAIN: Duration = Duration::from_secs(1);

/// The control runtime, and listeners that answer "starting" until there is a herder. Its calls block; make them from a
/// thread that is in no tokio runtime.
#[derive(Debug)]
pub(crate) struct RestFrontend {
    pub(crate) runtime: Runtime,
    pub(crate) advertised: Advertised,
    pub(crate) end: CancellationToken,
    rest: RestServer,
}

impl RestFrontend {
    /// Listens.
    ///
    /// # Errors
    /// `Config` or `Fatal`, naming the key or the address.
    pub(crate) fn open(config: &WorkerConfig) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(CONTROL_THREADS)
            .thread_name("control")
            .enable_all()
            .build()
            .map_err(|error| Error::fatal("could not start the worker's control threads").with_source(error))?;
        let end = CancellationToken::new();
        let rest = runtime.block_on(RestServer::open(config, &end))?;
        Ok(Self { advertised: rest.advertised().clone(), runtime, end, rest })
    }

    /// Talks to other workers.
    pub(crate) fn peers(&self) -> Arc<PeerClient> {
        Arc::clone(self.rest.peers())
    }

    /// From now on requests are answered by `herder`.
    pub(crate) fn serve(&self, context: &WorkerContext, herder: Arc<dyn Herder>, cluster_id: ClusterId) {
        self.rest.serve(herder, Arc::clone(&context.log_levels), cluster_id);
        let url = self.advertised.url();
        info!(url, "REST resources initialized; server is started and ready to handle requests");
    }

    /// Ends the servers and the runtime. What does not end in time is left behind.
    pub(crate) fn close(self) {
        self.end.cancel();
        self.runtime.block_on(self.rest.ended(REST_DRAIN));
        self.runtime.shutdown_background();
    }
}

/// Says which locations of plug-ins are not there: a worker with none of them runs all the same.
pub(crate) fn warn_of_missing_locations(config: &WorkerConfig) {
    for location in config.java_settings().missing_locations() {
        warn!(location, "no Java plug-ins can come from this location of plugin.path, since it is not there");
    }
}

/// A worker whose own converters are wrong would fail every task; better say so at the start. What may only be found by looking for
/// more plug-ins is left to the tasks: the start does not wait for that.
pub(crate) fn check_worker_converters(plugins: &Plugins, config: &WorkerConfig) -> Result<()> {
    let none = ConfigMap::new();
    let is_left_to_tasks =
        |key: &str, kind| config.parsed().string(key).is_some_and(|class| plugins.needs_search(kind, class));
    for (key, side) in [("key.converter", volley_api::Side::Key), ("value.converter", volley_api::Side::Value)] {
        if is_left_to_tasks(key, PluginKind::Converter) {
            continue;
        }
        plugins
            .new_converter(side, &none, config)
            .map_err(|error| Error::config(format!("could not use `{key}` of the worker")).with_source(error))?;
    }
    if is_left_to_tasks("header.converter", PluginKind::HeaderConverter) {
        return Ok(());
    }
    let headers = plugins.new_header_converter(&none, config);
    headers.map_err(|error| Error::config("could not use `header.converter` of the worker").with_source(error))?;
    Ok(())
}
