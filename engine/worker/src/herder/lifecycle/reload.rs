//! How the actor of an instance takes over what config providers say anew, once what they have said before has expired (KIP-297).
//!
//! ```text
//!  expired ─► ask again ─┬─► other values ─► a new instance, and new tasks of it
//!               ▲        ├─► the same ─────► the next that expires
//!               └─ later ┴─ no answer: what runs goes on
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::assigned_instance::AssignedInstance;
use super::connector_parts::resolved;
use super::worker_connector::WorkerConnector;

/// How long until a config provider that does not answer is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(30);

impl AssignedInstance {
    /// Asks for the values again, and starts the connector again if they are others.
    pub(super) async fn reload(&mut self) {
        self.renew_expedite();
        // Tasks of a bounded run keep what they were started with: they end, and others would begin anew.
        let Some(started) = self.started.filter(|_| !self.is_bounded) else {
            self.reload_at = None;
            return;
        };
        let (context, name) = (Arc::clone(&self.parts.context), self.parts.name.clone());
        let snapshot = context.configs.snapshot();
        let is_latest = started.position == snapshot.config_position(&name);
        let Some(raw) = snapshot.connector_config(&name).filter(|_| is_latest) else {
            // The one that comes in its place has values of its own.
            self.reload_at = None;
            return;
        };
        let found = match resolved(&context, &name, raw, self.deadline()).await {
            Ok(found) => found,
            Err(error) => {
                warn!(connector = name, %error, "values of a config provider have expired, and it gives no others: connector goes on");
                self.reload_at = Some(Instant::now() + ASK_AGAIN);
                return;
            }
        };
        if self.connector.as_ref().map(WorkerConnector::config) == Some(&found.config) {
            debug!(connector = name, "values of a config provider have expired, and are what they were");
            self.reload_at = found.reload_at;
            return;
        }
        info!(connector = name, "values of a config provider have changed: connector is started again");
        if let Err(error) = self.restart_instance(Some(found)).await {
            warn!(connector = name, %error, "connector could not be started again with changed values of a config provider");
        }
        self.reconfigure_now().await;
    }
}
