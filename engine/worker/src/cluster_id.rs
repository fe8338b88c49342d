//! The id of the Kafka cluster, which REST shows. A standalone worker starts without its broker, and finds it out later.

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Result};
use volley_kafka::Admin;

/// Wait between two attempts of a client that the cluster refuses; it doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The id, once it is known.
#[derive(Clone, Debug)]
pub struct ClusterId(watch::Receiver<Option<String>>);

impl ClusterId {
    /// One that is known already.
    pub fn known(id: impl Into<String>) -> Self {
        Self(watch::channel(Some(id.into())).1)
    }

    /// Asks the cluster. Blocks.
    ///
    /// # Errors
    /// If no broker answers in time, or the cluster refuses the worker, with the reason as the last cause.
    pub(crate) fn ask(properties: &ConfigMap) -> Result<Self> {
        let id = Admin::connect(properties)?.cluster_id().map_err(|error| {
            Error::new(
                error.kind(),
                "Failed to connect to and describe Kafka cluster. Check worker's broker connection and security properties.",
            )
            .with_exception("org.apache.kafka.connect.errors.ConnectException")
            .with_source(error)
        })?;
        info!(kafka_cluster_id = id, "reached the Kafka cluster");
        Ok(Self::known(id))
    }

    /// Asks until the cluster answers, or until `end`, on a thread that lives as long.
    ///
    /// # Errors
    /// `Fatal` if there can be no thread.
    pub(crate) fn look_up(properties: ConfigMap, end: CancellationToken) -> Result<Self> {
        let failed =
            |error| Error::fatal("could not start the thread that looks for the Kafka cluster").with_source(error);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (found, id) = watch::channel(None);
        let run = move || {
            let found_by_then = runtime.block_on(end.run_until_cancelled(find(&properties)));
            if let Some(id) = found_by_then {
                info!(kafka_cluster_id = id, "reached the Kafka cluster");
                found.send_replace(Some(id));
            }
        };
        std::thread::Builder::new().name("cluster id".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self(id))
    }

    /// The id, waiting for it for at most `timeout`.
    ///
    /// # Cancellation
    /// Nothing is lost.
    pub(crate) async fn within(&self, timeout: Duration) -> Option<String> {
        let mut id = self.0.clone();
        let known = tokio::time::timeout(timeout, id.wait_for(Option::is_some)).await;
        known.ok()?.ok()?.clone()
    }
}

async fn find(properties: &ConfigMap) -> String {
    let mut pause = PAUSE;
    loop {
        let answer = async { Admin::connect(properties)?.await_cluster_id().await };
        match answer.await {
            Ok(id) => return id,
            Err(error) => {
                let servers = properties.get("bootstrap.servers").map(String::as_str).unwrap_or_default();
                let error = format!("{error:#}");
                warn!(error, servers, "the Kafka cluster refuses the worker, trying again");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
