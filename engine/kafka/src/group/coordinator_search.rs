//! The search for a group's coordinator, which any broker knows.

use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::MetadataRequest;
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};
use volley_api::{Error, Result};

use super::backoff::Backoff;
use super::find_coordinator::coordinator_of;
use super::settings::GroupSettings;
use crate::outage::{self, Outage};
use crate::wire::{Address, Connection, ConnectionSettings};

/// A search that runs by itself until the coordinator is found or the cluster refuses the client. Dropping it ends it.
#[derive(Debug)]
pub(super) struct CoordinatorSearch {
    task: JoinHandle<Result<Connection>>,
}

impl Drop for CoordinatorSearch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl CoordinatorSearch {
    pub(super) fn start(cluster: &Arc<Cluster>) -> Self {
        #[allow(clippy::disallowed_methods, reason = "the search is the owner of its task")]
        let task = tokio::spawn(Arc::clone(cluster).search());
        Self { task }
    }

    /// A connection to the coordinator. The search is over once this has returned a connection or an error.
    ///
    /// # Cancellation
    /// The search goes on.
    pub(super) async fn found(&mut self) -> Result<Connection> {
        match (&mut self.task).await {
            Ok(found) => found,
            Err(_) => Err(Error::fatal("the search for the group coordinator was broken off")),
        }
    }
}

/// The known brokers of the cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    settings: ConnectionSettings,
    request_timeout: Duration,
    group_id: String,
    retry: Backoff,
    /// Known brokers besides the bootstrap servers, and the index of the next one to ask.
    brokers: Mutex<(Vec<Address>, usize)>,
    last_failure: Mutex<Option<String>>,
}

impl Cluster {
    pub(super) fn new(mut settings: ConnectionSettings, group: &GroupSettings) -> Arc<Self> {
        let request_timeout = settings.request_timeout;
        // A broker that does not answer within the time of a session is skipped for the next one.
        settings.request_timeout = request_timeout.min(group.session_timeout);
        Arc::new(Self {
            request_timeout,
            group_id: group.group_id.clone(),
            retry: Backoff::new(settings.retry_backoff, settings.retry_backoff_max),
            brokers: Mutex::new((settings.bootstrap_servers.clone(), 0)),
            last_failure: Mutex::default(),
            settings,
        })
    }

    pub(super) fn group_id(&self) -> &str {
        &self.group_id
    }

    /// The pauses between attempts of a request.
    pub(super) fn retry(&self) -> Backoff {
        self.retry.clone()
    }

    /// How long a request of a member may take.
    pub(super) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// The error of a coordinator that cannot be found, with the known reason.
    pub(super) fn not_found(&self) -> Error {
        let error = Error::retriable(format!("the coordinator of group {} cannot be reached", self.group_id))
            .with_exception("org.apache.kafka.common.errors.CoordinatorNotAvailableException");
        match self.last_failure.lock().clone() {
            Some(reason) => error.with_source(reason),
            None => error,
        }
    }

    /// Notes the reason for the loss of the coordinator.
    pub(super) fn note_failure(&self, reason: String) {
        *self.last_failure.lock() = Some(reason);
    }

    async fn search(self: Arc<Self>) -> Result<Connection> {
        let mut unreachable = Backoff::new(self.settings.reconnect_backoff, self.settings.reconnect_backoff_max);
        let mut not_ready = self.retry.clone();
        let mut outage = Outage::told_after(outage::FIRST);
        loop {
            let pause = match self.attempt().await {
                Ok(Ok(connection)) => {
                    info!(group = self.group_id, coordinator = %connection.address(), "group coordinator found");
                    *self.last_failure.lock() = None;
                    return Ok(connection);
                }
                Ok(Err(error)) => {
                    let reason = format!("the broker says {error:?}");
                    if outage.failed(Instant::now()) {
                        let (client, group) = (self.settings.client_id.as_str(), self.group_id.as_str());
                        warn!(client, group, reason, "group coordinator not found, retrying");
                    }
                    self.note_failure(reason);
                    not_ready.next()
                }
                Err(error) if error.is_retriable() => {
                    let reason = format!("{error:#}");
                    if outage.failed(Instant::now()) {
                        let (client, group) = (self.settings.client_id.as_str(), self.group_id.as_str());
                        warn!(client, group, reason, "kafka cannot be reached, retrying");
                    }
                    self.note_failure(reason);
                    unreachable.next()
                }
                Err(error) => return Err(error),
            };
            sleep(pause).await;
        }
    }

    /// A connection to the coordinator, or the reason why the cluster does not know it yet.
    async fn attempt(&self) -> Result<std::result::Result<Connection, ResponseError>> {
        let mut connection = Connection::open(&self.next_broker(), &self.settings).await?;
        self.learn_brokers(&mut connection).await?;
        let within = self.settings.request_timeout;
        let coordinator = match coordinator_of(&mut connection, &self.group_id, within).await? {
            Ok(address) => address,
            Err(error) => return Ok(Err(error)),
        };
        if *connection.address() == coordinator {
            return Ok(Ok(connection));
        }
        Connection::open(&coordinator, &self.settings).await.map(Ok)
    }

    fn next_broker(&self) -> Address {
        let (brokers, next) = &mut *self.brokers.lock();
        *next += 1;
        brokers[(*next - 1) % brokers.len()].clone()
    }

    /// Remembers all brokers, so that the cluster is found even when the bootstrap servers are gone. Bootstrap servers
    /// come first.
    async fn learn_brokers(&self, connection: &mut Connection) -> Result<()> {
        let request = |_| MetadataRequest::default().with_topics(Some(Vec::new()));
        let response = connection.call(self.settings.request_timeout, request).await?;
        let seen = response.brokers.iter().filter_map(|broker| Address::new(&broker.host, broker.port));
        let (brokers, _) = &mut *self.brokers.lock();
        brokers.truncate(self.settings.bootstrap_servers.len());
        for broker in seen {
            if !brokers.contains(&broker) {
                brokers.push(broker);
            }
        }
        Ok(())
    }
}
