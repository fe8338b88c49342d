//! The REST server: all listeners of a worker.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use futures::future::join_all;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;
use volley_api::{ConfigMap, Error, Result};
use volley_net::TlsAcceptor;

use crate::cluster_id::ClusterId;
use crate::herder::Herder;
use crate::loggers::Loggers;
use crate::peers::PeerClient;
use crate::rest::front::settings::RestSettings;
use crate::rest::router::{admin_router, router};
use crate::rest::server::advertised::Advertised;
use crate::rest::server::connection::{Service, accept_all};
use crate::rest::server::listener::{Listener, Scheme};
use crate::rest::server::open_listeners::warn_of_open_listeners;
use crate::rest::server::startup_router::startup_router;
use crate::rest::state::{RestState, Timeouts};
use crate::spawned_task::SpawnedTask;
use crate::worker_config::WorkerConfig;
use crate::worker_config::{ADMIN_LISTENERS, LISTENERS, tls_properties};

/// The listeners of a worker. They serve from the start; until there is a herder, they report that the worker is
/// starting.
#[derive(Debug)]
pub struct RestServer {
    advertised: Advertised,
    peers: Arc<PeerClient>,
    settings: Arc<RestSettings>,
    main: Arc<OnceLock<Router>>,
    admin: Arc<OnceLock<Router>>,
    /// Whether `/admin` has listeners of its own, or none.
    is_admin_apart: bool,
    tasks: Vec<SpawnedTask>,
}

#[derive(Debug)]
struct BoundListener {
    listener: Listener,
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
}

impl RestServer {
    /// Listens at `listeners` and `admin.listeners` until `end`. Checks all REST settings of the configuration.
    ///
    /// # Errors
    /// `Config`, naming the key, the file or the address that is wrong.
    ///
    /// # Cancellation
    /// Nothing is left behind.
    pub async fn open(config: &WorkerConfig, end: &CancellationToken) -> Result<Self> {
        let of_worker = config.clone();
        let settings = blocking(move || RestSettings::of_worker(&of_worker)).await?;
        let main = bind_all(config.parsed().list("listeners"), tls_properties(config, LISTENERS)).await?;
        let admin = bind_all(config.parsed().list("admin.listeners"), tls_properties(config, ADMIN_LISTENERS)).await?;
        let bound: Vec<_> = main.iter().map(|bound| (bound.listener.clone(), bound.address)).collect();
        let seen: Vec<_> = main.iter().map(|bound| (bound.address, bound.tls.is_some())).collect();
        warn_of_open_listeners(&seen, &tls_properties(config, LISTENERS), &settings);
        let mut server = Self {
            advertised: Advertised::new(config, &bound)?,
            peers: Arc::new(PeerClient::new(config)),
            settings: Arc::new(settings),
            main: Arc::default(),
            admin: Arc::default(),
            is_admin_apart: config.originals().contains_key("admin.listeners"),
            tasks: Vec::new(),
        };
        server.listen(main, &Arc::clone(&server.main), end);
        server.listen(admin, &Arc::clone(&server.admin), end);
        Ok(server)
    }

    fn listen(&mut self, listeners: Vec<BoundListener>, router: &Arc<OnceLock<Router>>, end: &CancellationToken) {
        for bound in listeners {
            info!(address = %bound.address, scheme = %bound.listener.scheme, "REST server listens");
            let router = startup_router(Arc::clone(router));
            let what = format!("the listener at {}", bound.address);
            let service = Service { router, tls: bound.tls, end: end.clone() };
            self.tasks.push(SpawnedTask::start_here(what, accept_all(bound.socket, service)));
        }
    }

    /// From now on `herder` answers the requests.
    pub fn serve(&self, herder: Arc<dyn Herder>, loggers: Arc<Loggers>, cluster_id: ClusterId) {
        let (peers, settings) = (Arc::clone(&self.peers), Arc::clone(&self.settings));
        let (scheme, timeouts) = (self.advertised.scheme, Timeouts::default());
        let state = RestState { herder, peers, scheme, loggers, cluster_id, settings, timeouts };
        // Set once, since there is only one herder.
        let _ = self.main.set(router(state.clone(), !self.is_admin_apart));
        let _ = self.admin.set(admin_router(state));
    }

    /// The address under which others reach this worker, with the bound port.
    pub fn advertised(&self) -> &Advertised {
        &self.advertised
    }

    /// The client for the other workers of the group, with this worker's TLS settings.
    pub fn peers(&self) -> &Arc<PeerClient> {
        &self.peers
    }

    /// Waits, after `end`, until the pending answers are sent, but at most for `limit`. When it returns, all listeners
    /// are closed.
    ///
    /// # Cancellation
    /// The listeners continue until the pending answers are sent.
    pub async fn ended(mut self, limit: Duration) {
        let aborts: Vec<_> = self.tasks.iter().map(SpawnedTask::abort_handle).collect();
        let mut ending = std::pin::pin!(join_all(self.tasks.iter_mut().map(SpawnedTask::outcome)));
        if tokio::time::timeout(limit, &mut ending).await.is_err() {
            aborts.iter().for_each(AbortHandle::abort);
            ending.await;
        }
    }
}

async fn bind_all(listeners: &[String], tls_properties: ConfigMap) -> Result<Vec<BoundListener>> {
    let listeners: Vec<Listener> = listeners.iter().map(|listener| Listener::parse(listener)).collect::<Result<_>>()?;
    let needs_tls = listeners.iter().any(|listener| listener.scheme == Scheme::Https);
    let tls = match needs_tls {
        true => Some(blocking(move || TlsAcceptor::new(&tls_properties)).await?),
        false => None,
    };
    let mut bound = Vec::with_capacity(listeners.len());
    for listener in listeners {
        let tls = tls.clone().filter(|_| listener.scheme == Scheme::Https);
        let socket = bind(&listener).await?;
        let address = socket.local_addr().map_err(|error| could_not_listen(&listener, error))?;
        bound.push(BoundListener { listener, socket, address, tls });
    }
    Ok(bound)
}

async fn bind(listener: &Listener) -> Result<TcpListener> {
    let mut outcome = Err(Error::config(format!("could not listen at `{listener}`: it has no address")));
    for host in listener.bind_hosts() {
        match TcpListener::bind((host, listener.port)).await {
            Ok(socket) => return Ok(socket),
            Err(error) => outcome = Err(could_not_listen(listener, error)),
        }
    }
    outcome
}

fn could_not_listen(listener: &Listener, error: std::io::Error) -> Error {
    Error::config(format!(
        "could not listen at `{listener}`: choose another address in `listeners` or `admin.listeners`"
    ))
    .with_source(error)
}

/// Runs work that reads files on a thread where it delays nothing.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::fatal("the REST server could not be prepared").with_source(error)))
}
