//! How the actor of an assigned connector is told what to do, and what may be read of it meanwhile.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::wanted_work::{Wanted, WantedWork};
use crate::herder::connector_tasks::ConnectorTasks;
use crate::herder::progress::RateMeter;
use crate::herder::{HerderError, HerderResult};
use crate::storage::TargetState;

/// A restart of what is assigned here.
#[derive(Debug)]
pub(super) enum Restart {
    /// The connector's own instance.
    Connector { reply: oneshot::Sender<HerderResult<()>> },
    /// One task.
    Task { task: usize, reply: oneshot::Sender<HerderResult<()>> },
    /// A selection; nobody waits.
    Selected { connector: bool, tasks: Vec<usize> },
}

/// What may be read of a connector while its actor is busy.
pub(super) struct AssignedView {
    pub(super) tasks: ConnectorTasks,
    pub(super) meter: Mutex<RateMeter>,
}

/// Where an actor is told what to do.
pub(super) struct AssignedConnectorHandle {
    pub(super) restarts: mpsc::Sender<Restart>,
    pub(super) hurry: Arc<Mutex<CancellationToken>>,
    pub(super) work: Arc<WantedWork>,
    pub(super) view: Arc<AssignedView>,
}

impl AssignedConnectorHandle {
    /// From now on this is wanted.
    pub(super) fn want(&self, wanted: Wanted) {
        let before = self.work.latest();
        let ends_instance = before.connector.is_some()
            && (wanted.connector != before.connector || wanted.target == TargetState::Stopped);
        if self.work.want(wanted) && ends_instance {
            self.hurry.lock().cancel();
        }
    }

    /// What is wanted.
    pub(super) fn wanted(&self) -> Wanted {
        self.work.latest()
    }

    /// The cell through which it is told what is wanted, for those who wait.
    pub(super) fn work(&self) -> Arc<WantedWork> {
        Arc::clone(&self.work)
    }

    /// Asks for a restart.
    ///
    /// # Errors
    /// If too many wait already.
    pub(super) fn restart(&self, restart: Restart) -> HerderResult<()> {
        if matches!(restart, Restart::Connector { .. } | Restart::Selected { connector: true, .. }) {
            self.hurry.lock().cancel();
        }
        self.restarts.try_send(restart).map_err(|_| {
            HerderError::Conflict(
                "Cannot complete request because of a conflicting operation (e.g. worker rebalance)".into(),
            )
        })
    }
}
