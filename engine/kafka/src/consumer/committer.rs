//! Commits and reads offsets of a consumer group, from any thread.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use volley_api::{Error, GroupMetadata, OffsetMetadata, Offsets, Result, SinkGroup, TopicPartition};

use super::consumer_events::{ConsumerEvents, NativeConsumer};
use super::log_place::{LogPlace, known_places};
use super::membership::{Membership, WeakMembership};
use super::partition_offsets::KnownOffsets;
use crate::broker_error;
use crate::connection::Connection;

/// How long a request may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Commits and reads offsets on behalf of a [`Fetcher`](crate::Fetcher). Cheap to clone. Does not keep the consumer alive:
/// once the fetcher is closed, every call fails.
#[derive(Clone)]
pub struct Committer {
    group: WeakMembership,
    connection: Arc<Connection>,
    config: Arc<ClientConfig>,
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committer").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Committer {
    pub(crate) fn new(group: &Membership, connection: Arc<Connection>, config: Arc<ClientConfig>) -> Self {
        Self { group: group.downgrade(), connection, config }
    }

    /// Commits and waits for the answer.
    ///
    /// # Errors
    /// `Retriable` while the group rebalances, when the partitions have gone to another member, or when the broker cannot
    /// be reached; `Config` when not authorized; `Fatal` when the consumer is closed or fenced.
    pub fn commit(&self, offsets: &Offsets) -> Result<()> {
        self.commit_with_metadata(offsets, &OffsetMetadata::new())
    }

    /// The same, with text that is kept beside some of the offsets.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn commit_with_metadata(&self, offsets: &Offsets, metadata: &OffsetMetadata) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        self.group.get()?.commit(&self.connection, offsets, metadata)
    }

    /// The committed offsets; partitions without one are left out.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        if partitions.is_empty() {
            return Ok(Offsets::new());
        }
        self.group.get()?.committed(&self.connection, partitions)
    }

    /// The first offset that the broker still has, for each partition.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn beginning_offsets(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        self.all_offsets(partitions, Offset::Beginning)
    }

    /// The offset of the next message of each partition (with `isolation.level=read_committed`: the last stable offset).
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn end_offsets(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        self.all_offsets(partitions, Offset::End)
    }

    /// The offset of a place in each partition.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn place_offsets(&self, partitions: &[TopicPartition], place: LogPlace) -> Result<Offsets> {
        let group = self.group.get()?;
        let list = |partitions: &[TopicPartition], which| group.log_offsets(&self.connection, partitions, which);
        let known = known_places(list, partitions, place)?;
        known.trouble.map_or(Ok(known.offsets), Err)
    }

    /// [`Committer::beginning_offsets`] (`Offset::Beginning`) or [`Committer::end_offsets`] (`Offset::End`), without
    /// the partitions whose offset is not known at the moment.
    pub(crate) fn known_offsets(&self, partitions: &[TopicPartition], which: Offset) -> Result<KnownOffsets> {
        self.group.get()?.log_offsets(&self.connection, partitions, which)
    }

    fn all_offsets(&self, partitions: &[TopicPartition], which: Offset) -> Result<Offsets> {
        let known = self.known_offsets(partitions, which)?;
        known.trouble.map_or(Ok(known.offsets), Err)
    }

    /// Whether there is no message to consume between `from` and `end`, only transaction markers and aborted or
    /// compacted messages. Bounded reads need this, since their last offsets may never be delivered.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn is_drained(&self, partition: &TopicPartition, from: i64, end: i64) -> Result<bool> {
        if from >= end {
            return Ok(true);
        }
        let action = "look for remaining messages";
        let probe = self.probe().map_err(|error| broker_error::from_client(action, &error))?;
        let list = with_offsets(&Offsets::from([(partition.clone(), from)]))?;
        self.connection.outcome(action, probe.assign(&list))?;
        let deadline = Instant::now() + TIMEOUT;
        // some brokers report the end with every empty answer: it counts only if nothing follows
        let mut quiet_at = None;
        while Instant::now() < deadline {
            match probe.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => return Ok(message.offset() >= end),
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    quiet_at.get_or_insert_with(|| Instant::now() + QUIET);
                }
                Some(Err(_)) => self.connection.check()?,
                None => {}
            }
            if quiet_at.is_some_and(|quiet_at| Instant::now() >= quiet_at) {
                return Ok(true);
            }
        }
        Err(Error::retriable(format!("could not {action} of {partition} in time")))
    }

    // A consumer of its own, without a group, so that the position of the real consumer stays as it is.
    fn probe(&self) -> rdkafka::error::KafkaResult<NativeConsumer> {
        let mut config = ClientConfig::clone(&self.config);
        config.set("enable.partition.eof", "true").set("group.id", PROBE_GROUP);
        config.remove("group.instance.id");
        let events = ConsumerEvents::new(Arc::clone(&self.connection));
        events.close();
        config.create_with_context(events)
    }
}

impl SinkGroup for Committer {
    fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        Self::committed(self, partitions)
    }

    /// librdkafka does not tell as which member it consumes, only the group.
    fn metadata(&self) -> Result<GroupMetadata> {
        match self.group.get()? {
            Membership::Own(member) => member.group_metadata(),
            Membership::Librdkafka(_) => Ok(GroupMetadata {
                group_id: self.config.get("group.id").unwrap_or_default().to_owned(),
                generation: -1,
                member_id: String::new(),
                instance_id: None,
            }),
        }
    }
}

/// How long nothing may follow a reported end of a partition before it counts as the end.
const QUIET: Duration = Duration::from_millis(500);

/// librdkafka needs a group id for consuming. This group is never joined, and nothing is committed to it.
pub(crate) const PROBE_GROUP: &str = "volley-unjoined";

/// librdkafka's form of offsets.
pub(crate) fn with_offsets(offsets: &Offsets) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (partition, offset) in offsets {
        if partition.topic.contains('\0') {
            return Err(Error::config(format!("there can be no topic named `{}`", partition.topic.escape_debug())));
        }
        list.add_partition_offset(&partition.topic, partition.partition, Offset::Offset(*offset))
            .map_err(|error| broker_error::from_client(&format!("set the offset of {partition}"), &error))?;
    }
    Ok(list)
}

/// The absolute offsets in a list. An error of one partition fails all.
pub(crate) fn offsets_in(list: &TopicPartitionList, action: &str) -> Result<Offsets> {
    let mut offsets = Offsets::new();
    for element in list.elements() {
        let partition = TopicPartition::new(element.topic(), element.partition());
        element.error().map_err(|error| broker_error::from_client(&format!("{action} of {partition}"), &error))?;
        if let Offset::Offset(offset) = element.offset() {
            offsets.insert(partition, offset);
        }
    }
    Ok(offsets)
}
