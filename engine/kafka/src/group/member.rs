//! The handle of a membership.

use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use volley_api::{ConfigMap, Error, Result};

use super::coordinator_link::CoordinatorLink;
use super::coordinator_search::Cluster;
use super::error::{GroupError, GroupResult};
use super::event::GroupEvent;
use super::joined::Joined;
use super::membership::Membership;
use super::settings::GroupSettings;
use super::shared::Shared;
use super::status::MemberStatus;
use super::task::{self, Command};
use crate::wire::ConnectionSettings;

/// The task carries out one command at a time; a second one ends the first.
const COMMANDS: usize = 1;

/// The handle of a membership in a group. Cheap to clone. A task owns the connection and sends the heartbeats, also
/// while the owner is busy.
///
/// When the last handle is dropped, the task ends without leaving the group, and the coordinator waits for the session
/// to expire. Call [`GroupMember::leave`] first to leave at once.
#[derive(Clone, Debug)]
pub struct GroupMember {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl GroupMember {
    /// Starts the task on the current runtime. Nothing is sent before the first join.
    ///
    /// `properties` are Java's client keys: `bootstrap.servers`, `client.id`, `security.protocol`, `ssl.*`, `sasl.*`,
    /// `request.timeout.ms`, `reconnect.backoff.ms`, `retry.backoff.ms` and similar ones. Other keys are ignored. Reads
    /// the files of TLS stores.
    ///
    /// # Errors
    /// `Config`, naming the key, for wrong settings; `Fatal` outside a runtime.
    pub fn start(properties: &ConfigMap, settings: GroupSettings) -> Result<Self> {
        Self::with_connection(ConnectionSettings::read(properties)?, settings)
    }

    /// As [`GroupMember::start`], with settings that were read before.
    ///
    /// # Errors
    /// As [`GroupMember::start`].
    pub(crate) fn with_connection(connection: ConnectionSettings, settings: GroupSettings) -> Result<Self> {
        settings.check()?;
        let runtime = Handle::try_current()
            .map_err(|error| Error::fatal("a group member needs an async runtime").with_source(error))?;
        let cluster = Cluster::new(connection, &settings);
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let shared = Shared::new();
        let coordinator = CoordinatorLink::new(cluster, Arc::clone(&shared), settings.heartbeat_interval);
        let membership = Membership::new(settings, coordinator, Arc::clone(&shared));
        let task = runtime.spawn(task::run(membership, receiver, Arc::clone(&shared)));
        Ok(Self { inner: Arc::new(Inner { commands, shared, task }) })
    }

    /// Joins or rejoins the group, offering these protocols (name and metadata) in this order. Finds the coordinator,
    /// and retries retriable errors. Waits for the other members, up to the rebalance timeout. Heartbeats are sent
    /// until [`GroupMember::sync`] and after it.
    ///
    /// Drops the events of the previous generation.
    ///
    /// # Errors
    /// [`GroupError::Coordinator`] when the coordinator is not found within the heartbeat interval, [`GroupError::Fatal`]
    /// when the cluster refuses (wrong password, no access to the group, other protocols there, …).
    ///
    /// # Cancellation
    /// Dropping the future gives up the join, but the coordinator may have accepted it. The next join corrects that. A
    /// second call meanwhile ends the first one with [`GroupError::Reset`].
    pub async fn join(&self, protocols: Vec<(String, Bytes)>) -> GroupResult<Joined> {
        let (answer, receiver) = oneshot::channel();
        self.ask(Command::Join { protocols, keeps_work: false, answer }, receiver).await
    }

    /// As [`GroupMember::join`], for an owner that goes on with what the last generation gave it.
    ///
    /// # Errors
    /// [`GroupError::Reset`] when that generation is over: others may have the work. Otherwise as [`GroupMember::join`].
    ///
    /// # Cancellation
    /// As [`GroupMember::join`].
    pub async fn rejoin(&self, protocols: Vec<(String, Bytes)>) -> GroupResult<Joined> {
        let (answer, receiver) = oneshot::channel();
        self.ask(Command::Join { protocols, keeps_work: true, answer }, receiver).await
    }

    /// Ends the rebalance. The leader passes the assignment of each member (id), other members pass nothing. Returns
    /// this member's own assignment, empty if the leader assigned none.
    ///
    /// # Errors
    /// [`GroupError::Rejoin`] when the group rebalances again, [`GroupError::Reset`] when the coordinator does not know
    /// this member, otherwise as [`GroupMember::join`].
    ///
    /// # Cancellation
    /// Dropping the future gives up the call, but the coordinator may have accepted it. Join again.
    pub async fn sync(&self, assignments: Vec<(String, Bytes)>) -> GroupResult<Bytes> {
        let (answer, receiver) = oneshot::channel();
        self.ask(Command::Sync { assignments, answer }, receiver).await
    }

    /// Waits for the next event of the membership. Untaken events are kept, the latest of each kind.
    ///
    /// # Cancellation
    /// No event is lost.
    pub async fn next_event(&self) -> GroupEvent {
        self.inner.shared.events.next().await
    }

    /// Leaves the group if this is a member; best effort, within a few seconds. The next join is that of a new member.
    ///
    /// # Cancellation
    /// Dropping the future does not stop the leaving.
    pub async fn leave(&self, reason: &str) {
        let (answer, receiver) = oneshot::channel();
        let command = Command::Leave { reason: reason.to_owned(), answer };
        if self.inner.commands.send(command).await.is_ok() {
            let _ = receiver.await;
        }
    }

    /// Reports that the owner is alive. Without a report for the rebalance timeout the member leaves by itself, so that
    /// others get its work. A running `join` or `sync` counts as a report.
    pub fn poll(&self) {
        self.inner.shared.poll();
    }

    /// The current state of the membership.
    pub fn status(&self) -> MemberStatus {
        self.inner.shared.status.lock().clone()
    }

    async fn ask<T>(&self, command: Command, receiver: oneshot::Receiver<GroupResult<T>>) -> GroupResult<T> {
        let ended = || GroupError::Fatal(Error::fatal("the task of the group membership has ended"));
        self.inner.commands.send(command).await.map_err(|_| ended())?;
        match receiver.await {
            Ok(answer) => answer,
            Err(_) if self.inner.task.is_finished() => Err(ended()),
            Err(_) => Err(GroupError::Reset),
        }
    }
}
