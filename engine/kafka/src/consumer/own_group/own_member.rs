//! The handle of a consumer of our own: its membership, and what it asks the cluster.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::Offset;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;
use tracing::warn;
use volley_api::{Error, GroupMetadata, OffsetMetadata, Offsets, Result, TopicPartition};

use super::cluster::Cluster;
use super::committed_offsets;
use super::member_task::MemberTask;
use super::own_settings::OwnSettings;
use super::place::Place;
use super::{log_offsets, topic_lookup};
use crate::consumer::consumer_events::Rebalance;
use crate::consumer::partition_offsets::KnownOffsets;
use crate::consumer::topic_pattern::TopicPattern;
use crate::fetch::shared_runtime;
use crate::group::GroupMember;

/// How long an answer may take, and a look at a topic.
const TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_UP: Duration = Duration::from_secs(5);

/// A closing consumer must not wait long for the group.
const LEAVE_WITHIN: Duration = Duration::from_secs(4);

/// A consumer beside its messages. Calls block the calling thread, up to a time limit.
pub(crate) struct OwnMember {
    runtime: Handle,
    settings: Arc<OwnSettings>,
    cluster: Arc<Cluster>,
    place: Arc<Place>,
    /// `None` without a group.
    member: Option<GroupMember>,
    task: Mutex<Option<JoinHandle<()>>>,
    is_closed: watch::Sender<bool>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for OwnMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnMember").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl OwnMember {
    /// Starts without topics. `wake` is called, from any thread, when there is a rebalance to perform.
    ///
    /// # Errors
    /// `Config`, naming the key, for wrong settings; `Fatal` when the system has no thread.
    pub(crate) fn start(settings: OwnSettings, wake: Arc<dyn Fn() + Send + Sync>) -> Result<Self> {
        let runtime = shared_runtime()?;
        let settings = Arc::new(settings);
        let group = settings.group.as_ref().map(|group| group.group_id.clone()).unwrap_or_default();
        let cluster = Arc::new(Cluster::new(settings.connection.clone(), group, settings.creates_topics));
        let called = Arc::clone(&wake);
        let place = Arc::new(Place::new(settings.is_cooperative(), Box::new(move || called())));
        let _inside = runtime.enter();
        let member = match &settings.group {
            Some(group) => Some(GroupMember::with_connection(settings.connection.clone(), group.clone())?),
            None => None,
        };
        let task = member.clone().map(|member| {
            let task = MemberTask::new(member, Arc::clone(&cluster), Arc::clone(&place), Arc::clone(&settings));
            runtime.spawn(task.run())
        });
        let is_closed = watch::Sender::new(false);
        Ok(Self { runtime: runtime.clone(), settings, cluster, place, member, task: Mutex::new(task), is_closed, wake })
    }

    /// Consumes these topics from now on.
    pub(crate) fn subscribe(&self, topics: &[String]) {
        self.place.subscribe(topics);
    }

    /// Notes that the fetcher polls.
    pub(crate) fn poll(&self) {
        if let Some(member) = &self.member {
            member.poll();
        }
        self.place.polled();
    }

    /// # Errors
    /// What the cluster refuses.
    pub(crate) fn check(&self) -> Result<()> {
        self.place.check()
    }

    /// The next rebalance to perform. [`OwnMember::has_given_up`] is to be called after each revocation.
    pub(crate) fn next_rebalance(&self) -> Option<Rebalance> {
        self.place.next_rebalance()
    }

    pub(crate) fn has_rebalance(&self) -> bool {
        self.place.has_rebalance()
    }

    pub(crate) fn is_cooperative(&self) -> bool {
        self.place.is_cooperative()
    }

    /// Whether others may have the partitions.
    pub(crate) fn is_lost(&self) -> bool {
        self.place.is_lost()
    }

    pub(crate) fn has_given_up(&self) {
        self.place.has_given_up();
    }

    /// Leaves the group, in whatever phase of joining; ends all calls.
    pub(crate) fn close(&self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
        self.is_closed.send_replace(true);
        let Some(member) = self.member.clone() else { return };
        let group = self.cluster.group().to_owned();
        let leave = async move {
            if timeout(LEAVE_WITHIN, member.leave("the consumer is being closed")).await.is_err() {
                warn!(group, "could not leave the group in time, it will notice");
            }
            Ok(())
        };
        drop(self.wait(leave));
    }

    /// Commits offsets, some with text beside them, as the member that this is now.
    ///
    /// # Errors
    /// `Retriable` while the group rebalances, when this is no member of it, or when no broker answers; `Config` when not
    /// authorized; `Fatal` without a group.
    pub(crate) fn commit(&self, offsets: &Offsets, metadata: &OffsetMetadata) -> Result<()> {
        let (cluster, offsets, metadata) = (Arc::clone(&self.cluster), offsets.clone(), metadata.clone());
        let who = self.group_metadata()?;
        self.ask(async move {
            let mut attempts = cluster.attempts("commit offsets", TIMEOUT);
            loop {
                match attempts.bounded(committed_offsets::commit(&cluster, &who, &offsets, &metadata)).await {
                    Ok(outcome) => return outcome,
                    Err(error) => attempts.after(error).await?,
                }
            }
        })
    }

    /// As which member this is in the group now.
    ///
    /// # Errors
    /// `Retriable` when this is no member of it; `Fatal` without a group.
    pub(crate) fn group_metadata(&self) -> Result<GroupMetadata> {
        let (Some(member), Some(group)) = (&self.member, &self.settings.group) else {
            return Err(Error::fatal("a consumer without `group.id` cannot commit offsets"));
        };
        let status = member.status();
        if status.generation < 0 || status.member_id.is_empty() {
            let error =
                format!("could not commit offsets of group {}: it has gone on without this member", group.group_id);
            return Err(
                Error::retriable(error).with_exception("org.apache.kafka.clients.consumer.CommitFailedException")
            );
        }
        let (group_id, instance_id) = (group.group_id.clone(), group.group_instance_id.clone());
        Ok(GroupMetadata { group_id, generation: status.generation, member_id: status.member_id, instance_id })
    }

    /// The committed offsets; partitions without one are left out.
    ///
    /// # Errors
    /// As [`OwnMember::commit`].
    pub(crate) fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        let (cluster, partitions) = (Arc::clone(&self.cluster), partitions.to_vec());
        let stable = self.settings.read_committed;
        self.ask(async move {
            let mut attempts = cluster.attempts("read committed offsets", TIMEOUT);
            loop {
                match attempts.bounded(committed_offsets::committed(&cluster, &partitions, stable)).await {
                    Ok(offsets) => return Ok(offsets),
                    Err(error) => attempts.after(error).await?,
                }
            }
        })
    }

    /// Offsets in the logs of partitions, as far as they are known.
    ///
    /// # Errors
    /// `Retriable` when no broker answers; `Config` when it refuses.
    pub(crate) fn log_offsets(&self, partitions: &[TopicPartition], which: Offset) -> Result<KnownOffsets> {
        if partitions.is_empty() {
            return Ok(KnownOffsets::default());
        }
        let (cluster, partitions) = (Arc::clone(&self.cluster), partitions.to_vec());
        let read_committed = self.settings.read_committed;
        self.ask(async move {
            let mut attempts = cluster.attempts("read the partitions' offsets", TIMEOUT);
            loop {
                match attempts.bounded(log_offsets::list(&cluster, &partitions, which, read_committed)).await {
                    Ok(known) => return Ok(known),
                    Err(error) => attempts.after(error).await?,
                }
            }
        })
    }

    /// The partitions of a topic; none if it does not exist.
    ///
    /// # Errors
    /// `Retriable` when no broker answers, or does not know yet; `Config` when not authorized.
    pub(crate) fn partitions_of(&self, topic: &str) -> Result<Vec<TopicPartition>> {
        let (cluster, topic) = (Arc::clone(&self.cluster), topic.to_owned());
        self.ask(async move {
            let mut attempts = cluster.attempts("look up a topic", LOOK_UP);
            // a broker that answers has answered, whatever it says
            attempts.bounded(topic_lookup::partitions(&cluster, &topic)).await
        })
    }

    /// Tells the topics that match a pattern, each time that they change. The handle ends it.
    pub(crate) fn watch_topics(
        &self,
        pattern: TopicPattern,
        interval: Duration,
        found: mpsc::Sender<Vec<String>>,
    ) -> AbortHandle {
        let (cluster, client) = (Arc::clone(&self.cluster), self.settings.client.clone());
        let wake = Arc::clone(&self.wake);
        let watching =
            async move { topic_lookup::watch(&cluster, &client, &pattern, interval, &found, || wake()).await };
        self.runtime.spawn(watching).abort_handle()
    }

    /// The outcome of a request, unless the consumer is closed before.
    fn ask<T: Send + 'static>(&self, request: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let mut is_closed = self.is_closed.subscribe();
        self.wait(async move {
            tokio::select! {
                biased;
                outcome = request => outcome,
                _ = is_closed.wait_for(|is_closed| *is_closed) => Err(Error::retriable("the consumer is being closed")),
            }
        })
    }

    /// Waits on this thread for what others do.
    fn wait<T: Send + 'static>(&self, future: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        drop(self.runtime.spawn(async move { sender.send(future.await) }));
        receiver.recv().unwrap_or_else(|_| Err(Error::fatal("a request to a broker panicked")))
    }
}

impl Drop for OwnMember {
    fn drop(&mut self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}
