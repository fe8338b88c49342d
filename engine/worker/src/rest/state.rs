//! What the resources answer from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::cluster_id::ClusterId;
use crate::herder::Herder;
use crate::loggers::Loggers;
use crate::peers::PeerClient;
use crate::rest::front::settings::RestSettings;
use crate::rest::server::listener::Scheme;

/// The Kafka version whose API this is.
const KAFKA_VERSION: &str = "4.3.0";

/// The answer of `GET /`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ServerInfo {
    /// The Kafka version whose API this is.
    pub(crate) version: String,
    /// Which Volley it is.
    pub(crate) commit: String,
    /// The cluster's id.
    pub(crate) kafka_cluster_id: String,
}

/// How long a client waits at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// For any answer.
    pub(crate) request: Duration,
    /// For the herder's sign of life.
    pub(crate) health: Duration,
}

/// What the resources answer from.
#[derive(Clone)]
pub(crate) struct RestState {
    /// Does what is asked.
    pub(crate) herder: Arc<dyn Herder>,
    /// Talks to the other workers of the group, for what they have to do.
    pub(crate) peers: Arc<PeerClient>,
    /// By which protocol they are reached, as this worker is.
    pub(crate) scheme: Scheme,
    /// Log levels.
    pub(crate) loggers: Arc<Loggers>,
    /// The cluster's id, once known.
    pub(crate) cluster_id: ClusterId,
    /// Users and headers.
    pub(crate) settings: Arc<RestSettings>,
    /// How long a client waits.
    pub(crate) timeouts: Timeouts,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { request: Duration::from_secs(90), health: Duration::from_secs(10) }
    }
}

impl RestState {
    /// The answer of `GET /`; `None` if the cluster does not say in time who it is.
    pub(crate) async fn server_info(&self) -> Option<ServerInfo> {
        Some(ServerInfo {
            version: KAFKA_VERSION.to_owned(),
            commit: concat!("volley-", env!("CARGO_PKG_VERSION")).to_owned(),
            kafka_cluster_id: self.cluster_id.within(self.timeouts.health).await?,
        })
    }

    /// What the herder is doing or did last, in a sentence.
    pub(crate) fn stage(&self) -> Option<String> {
        self.herder.stages().latest().map(|stage| stage.summary())
    }
}

impl fmt::Debug for RestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestState").finish_non_exhaustive()
    }
}
