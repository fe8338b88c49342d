//! The duties of the leader beside assigning: it deletes statuses, and renews the session key.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};
use volley_api::Error;

use super::config_writer::ConfigWriter;
use crate::clock::now_ms;
use crate::group::SessionKeys;
use crate::herder::WorkerContext;
use crate::herder::lifecycle::StatusWriter;
use crate::storage::ConfigRecord;

/// Wait after a session key could not be written.
const KEY_RETRY: Duration = Duration::from_secs(10);
/// How long it waits for other writers. It is short, since the loop of the herder waits with it.
const KEY_TURN: Duration = Duration::from_secs(2);

/// The duties of the leader.
pub(super) struct LeaderDuties {
    context: Arc<WorkerContext>,
    writer: Arc<ConfigWriter>,
    keys: SessionKeys,
}

impl LeaderDuties {
    pub(super) fn new(context: Arc<WorkerContext>, writer: Arc<ConfigWriter>, keys: SessionKeys) -> Self {
        Self { context, writer, keys }
    }

    /// Deletes the statuses of connectors and tasks that do not exist.
    pub(super) fn clean_statuses(&self) {
        let state = self.context.configs.snapshot();
        for connector in self.context.statuses.connectors() {
            StatusWriter::new(Arc::clone(&self.context), &connector).forget_deleted(&state);
        }
    }

    /// Writes a new session key if there is none, or the present one is too old or of another kind. Returns when to look
    /// again; `None`: no need to.
    ///
    /// # Cancellation
    /// The key may be written all the same.
    pub(super) async fn renew_session_key(&self) -> Option<Duration> {
        let present = self.context.configs.snapshot().session_key().cloned();
        let now = now_ms();
        if !self.keys.must_renew(present.as_ref(), now) {
            return self.keys.ms_until_renewal(present.as_ref(), now).map(Duration::from_millis);
        }
        let written = match self.keys.generate(now) {
            Ok(key) => {
                let next = self.keys.ms_until_renewal(Some(&key), now).map(Duration::from_millis);
                match tokio::time::timeout(KEY_TURN, self.writer.turn()).await {
                    Ok(turn) => turn.write(vec![ConfigRecord::SessionKey(key)]).await.map(|()| next),
                    Err(_) => Err(Error::retriable("others are writing to the config topic")),
                }
            }
            Err(error) => Err(error),
        };
        match written {
            Ok(next) => {
                info!("session key renewed");
                next
            }
            Err(error) => {
                warn!(%error, "session key could not be renewed, trying again");
                Some(KEY_RETRY)
            }
        }
    }
}
