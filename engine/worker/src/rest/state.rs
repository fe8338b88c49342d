//! What the resources answer from.

use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
use serde::Serialize;

use super::loggers::Loggers;
use super::peer_client::PeerClient;
use crate::herder::Herder;

/// The Kafka version whose API this is.
const KAFKA_VERSION: &str = "4.3.0";

/// The answer of `GET /`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerInfo {
    /// The Kafka version whose API this is.
    pub version: String,
    /// Which Volley it is.
    pub commit: String,
    /// The cluster's id; `None` until the broker has answered.
    pub kafka_cluster_id: Option<String>,
}

/// What the resources answer from.
#[derive(Clone)]
pub struct RestState {
    /// Does what is asked.
    pub herder: Arc<dyn Herder>,
    /// Talks to the other workers of the group, for what they have to do.
    pub peers: Arc<PeerClient>,
    /// Log levels.
    pub loggers: Arc<Loggers>,
    /// The cluster's id, once known.
    pub kafka_cluster_id: Arc<RwLock<Option<String>>>,
}

impl RestState {
    /// The answer of `GET /`.
    pub(super) fn server_info(&self) -> ServerInfo {
        ServerInfo {
            version: KAFKA_VERSION.to_owned(),
            commit: concat!("volley-", env!("CARGO_PKG_VERSION")).to_owned(),
            kafka_cluster_id: self.kafka_cluster_id.read().clone(),
        }
    }
}

impl fmt::Debug for RestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestState").finish_non_exhaustive()
    }
}
