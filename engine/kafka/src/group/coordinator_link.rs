//! The connection to the coordinator: found when needed, lost, found again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};
use volley_api::{Error, Result};

use super::backoff::Backoff;
use super::coordinator_search::{Cluster, CoordinatorSearch};
use super::error::{GroupError, GroupResult};
use super::event::GroupEvent;
use super::shared::Shared;
use crate::wire::Connection;

/// A connection to the coordinator, or the search for it. Reports its loss and its return to the owner once each.
#[derive(Debug)]
pub(super) struct CoordinatorLink {
    cluster: Arc<Cluster>,
    shared: Arc<Shared>,
    /// How long the coordinator may be unreachable before it is reported as lost.
    time_limit: Duration,
    connection: Option<Connection>,
    search: Option<CoordinatorSearch>,
    /// The time since which the coordinator has not answered as one; `None` while it does.
    lost_since: Option<Instant>,
    lost_reported: bool,
}

impl CoordinatorLink {
    pub(super) fn new(cluster: Arc<Cluster>, shared: Arc<Shared>, time_limit: Duration) -> Self {
        Self { cluster, shared, time_limit, connection: None, search: None, lost_since: None, lost_reported: false }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.is_broken())
    }

    /// The connection that [`CoordinatorLink::find`] found.
    pub(super) fn connection(&mut self) -> GroupResult<&mut Connection> {
        self.connection.as_mut().ok_or_else(|| GroupError::Coordinator(self.cluster.not_found()))
    }

    /// The pauses between attempts of a request.
    pub(super) fn retry(&self) -> Backoff {
        self.cluster.retry()
    }

    /// How long a request may take.
    pub(super) fn request_timeout(&self) -> Duration {
        self.cluster.request_timeout()
    }

    /// Finds the coordinator unless it is connected, without a time limit. If the call is dropped, the search goes on.
    pub(super) async fn find(&mut self) -> Result<()> {
        if self.is_connected() {
            return Ok(());
        }
        self.disconnect();
        let search = self.search.get_or_insert_with(|| CoordinatorSearch::start(&self.cluster));
        let found = search.found().await;
        self.search = None;
        let connection = found?;
        self.shared.status.lock().coordinator = Some(connection.address().to_string());
        self.connection = Some(connection);
        Ok(())
    }

    /// Finds the coordinator within the time limit. A broker that is found each time but never answers as the
    /// coordinator counts as lost after the time of a session; this is reported once.
    pub(super) async fn find_soon(&mut self, session: Duration) -> GroupResult<()> {
        let found = timeout(self.time_limit, self.find()).await;
        let is_mute = self.lost_since.is_some_and(|since| since.elapsed() > session);
        match found {
            Ok(Err(error)) => return Err(GroupError::Fatal(error)),
            Ok(Ok(())) if self.lost_reported || !is_mute => return Ok(()),
            Ok(Ok(())) | Err(_) => {}
        }
        self.unconfirmed_since(Instant::now());
        self.lost_reported = true;
        Err(GroupError::Coordinator(self.cluster.not_found()))
    }

    /// Waits for a lost coordinator, or until its loss is to be reported.
    pub(super) async fn await_lost(&mut self) -> Result<()> {
        self.unconfirmed_since(Instant::now());
        let since = self.lost_since.unwrap_or_else(Instant::now);
        if self.lost_reported {
            return self.find().await;
        }
        match timeout_at(since + self.time_limit, self.find()).await {
            Ok(found) => found,
            Err(_) => {
                self.report_lost();
                Ok(())
            }
        }
    }

    fn report_lost(&mut self) {
        let error = self.cluster.not_found();
        let reason = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        warn!(group = self.cluster.group_id(), reason, "group coordinator lost");
        self.lost_reported = true;
        self.shared.events.push(GroupEvent::CoordinatorLost(error));
    }

    /// Notes that the coordinator answered as one.
    pub(super) fn confirmed(&mut self) {
        self.lost_since = None;
        if std::mem::take(&mut self.lost_reported) {
            self.shared.events.push(GroupEvent::CoordinatorFound);
        }
    }

    /// Notes that the broker answered, but not as the coordinator.
    pub(super) fn not_confirmed(&mut self, reason: String) {
        self.cluster.note_failure(reason);
        self.unconfirmed_since(Instant::now());
    }

    /// Notes that this broker is not the coordinator, or does not answer.
    pub(super) fn lose(&mut self, reason: String) {
        debug!(group = self.cluster.group_id(), reason, "group coordinator lost, looking for it");
        self.not_confirmed(reason);
        self.disconnect();
    }

    /// As [`CoordinatorLink::lose`], since an earlier moment.
    pub(super) fn lose_since(&mut self, since: Instant, reason: &str) {
        self.unconfirmed_since(since);
        self.lose(reason.to_owned());
    }

    /// Clears the loss, since there is no membership to lose.
    pub(super) fn forget_loss(&mut self) {
        self.lost_since = None;
        self.lost_reported = false;
    }

    fn unconfirmed_since(&mut self, since: Instant) {
        self.lost_since.get_or_insert(since);
    }

    fn disconnect(&mut self) {
        self.connection = None;
        self.shared.status.lock().coordinator = None;
    }

    /// The reaction to a failed call: `Ok` if finding the coordinator again may help.
    pub(super) fn call_failed(&mut self, error: Error) -> GroupResult<()> {
        if !error.is_retriable() {
            return Err(GroupError::Fatal(error));
        }
        self.lose(error.to_string());
        Ok(())
    }
}
