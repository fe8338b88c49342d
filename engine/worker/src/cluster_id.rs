//! The id of the Kafka cluster, which REST shows. Looked up in the background: a worker starts without its broker.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use volley_api::ConfigMap;
use volley_kafka::Admin;

use crate::plugin_call::{Patience, call_plugin};

/// Wait between two attempts.
const BACKOFF: Duration = Duration::from_secs(10);
/// More than any request time-out.
const DEADLINE: Duration = Duration::from_secs(600);

/// Asks the broker until it answers, or until `end`; says so in the log when it does not answer.
pub(crate) fn look_up_cluster_id(properties: ConfigMap, found: Arc<RwLock<Option<String>>>, end: CancellationToken) {
    tokio::spawn(async move {
        loop {
            let asked = properties.clone();
            let answer =
                call_plugin("the broker", Patience::of(DEADLINE), move || Admin::connect(&asked)?.cluster_id());
            match answer.await.and_then(|answer| answer) {
                Ok(id) => {
                    info!(kafka_cluster_id = id, "reached the Kafka cluster");
                    *found.write() = Some(id);
                    return;
                }
                Err(error) => {
                    let servers = properties.get("bootstrap.servers").map(String::as_str).unwrap_or_default();
                    warn!(%error, bootstrap_servers = servers, "could not reach the Kafka cluster, trying again");
                }
            }
            tokio::select! {
                () = end.cancelled() => return,
                () = tokio::time::sleep(BACKOFF) => {}
            }
        }
    });
}
