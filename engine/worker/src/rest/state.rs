//! The state that the resources use.

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

/// The Kafka version of this API.
const KAFKA_VERSION: &str = "4.3.0";

/// The answer of `GET /`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ServerInfo {
    /// The Kafka version of this API.
    pub(crate) version: String,
    /// The version of Volley.
    pub(crate) commit: String,
    /// The cluster's id.
    pub(crate) kafka_cluster_id: String,
}

/// The longest times that a client waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    /// For any answer.
    pub(crate) request: Duration,
    /// For the herder's health check.
    pub(crate) health: Duration,
}

/// The state that the resources use.
#[derive(Clone)]
pub(crate) struct RestState {
    /// Handles the requests.
    pub(crate) herder: Arc<dyn Herder>,
    /// The client for forwarding to the other workers of the group.
    pub(crate) peers: Arc<PeerClient>,
    /// The scheme of the other workers' URLs, the same as this worker's.
    pub(crate) scheme: Scheme,
    /// Log levels.
    pub(crate) loggers: Arc<Loggers>,
    /// The cluster's id, once known.
    pub(crate) cluster_id: ClusterId,
    /// Users and headers.
    pub(crate) settings: Arc<RestSettings>,
    /// The time limits of requests.
    pub(crate) timeouts: Timeouts,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { request: Duration::from_secs(90), health: Duration::from_secs(10) }
    }
}

impl RestState {
    /// The answer of `GET /`; `None` if the cluster's id is not known in time.
    pub(crate) async fn server_info(&self) -> Option<ServerInfo> {
        Some(ServerInfo {
            version: KAFKA_VERSION.to_owned(),
            commit: concat!("volley-", env!("CARGO_PKG_VERSION")).to_owned(),
            kafka_cluster_id: self.cluster_id.within(self.timeouts.health).await?,
        })
    }

    /// The current or last action of the herder, as a sentence.
    pub(crate) fn stage(&self) -> Option<String> {
        self.herder.stages().latest().map(|stage| stage.summary())
    }
}

impl fmt::Debug for RestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestState").finish_non_exhaustive()
    }
}
