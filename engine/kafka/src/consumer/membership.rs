//! A fetcher's place in its group: librdkafka's consumer, or a member of our own (`own_group`).

use std::sync::{Arc, Weak};

use rdkafka::Offset;
use rdkafka::consumer::{CommitMode, Consumer};
use volley_api::{Error, OffsetMetadata, Offsets, Result, TopicPartition};

use super::committer::{TIMEOUT, offsets_in, with_offsets};
use super::consumer_events::{self, NativeConsumer, Rebalance, list_of};
use super::own_group::OwnMember;
use super::partition_offsets::{KnownOffsets, list_known_offsets};
use super::topic_partitions::{partitions_of, unless_none};
use crate::broker_error;
use crate::connection::Connection;

/// Who speaks to the group, and about partitions beside their messages.
#[derive(Clone)]
pub(crate) enum Membership {
    Librdkafka(Arc<NativeConsumer>),
    Own(Arc<OwnMember>),
}

/// A [`Membership`] that does not keep the consumer alive.
#[derive(Clone)]
pub(crate) enum WeakMembership {
    Librdkafka(Weak<NativeConsumer>),
    Own(Weak<OwnMember>),
}

impl WeakMembership {
    /// # Errors
    /// `Fatal` once the consumer is closed.
    pub(crate) fn get(&self) -> Result<Membership> {
        let found = match self {
            Self::Librdkafka(consumer) => consumer.upgrade().map(Membership::Librdkafka),
            Self::Own(member) => member.upgrade().map(Membership::Own),
        };
        found.ok_or_else(|| Error::fatal("the consumer is closed"))
    }
}

impl Membership {
    pub(crate) fn downgrade(&self) -> WeakMembership {
        match self {
            Self::Librdkafka(consumer) => WeakMembership::Librdkafka(Arc::downgrade(consumer)),
            Self::Own(member) => WeakMembership::Own(Arc::downgrade(member)),
        }
    }

    /// Consumes these topics from now on, as a member of the group.
    pub(crate) fn subscribe(&self, topics: &[String]) -> Result<()> {
        match self {
            Self::Own(member) => member.subscribe(topics),
            Self::Librdkafka(consumer) if topics.is_empty() => consumer.unsubscribe(),
            Self::Librdkafka(consumer) => {
                let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
                consumer.subscribe(&topics).map_err(|error| broker_error::from_client("subscribe", &error))?;
            }
        }
        Ok(())
    }

    /// The next rebalance that the group waits for.
    pub(crate) fn next_rebalance(&self) -> Option<Rebalance> {
        match self {
            Self::Own(member) => member.next_rebalance(),
            Self::Librdkafka(consumer) => consumer.context().next_rebalance(),
        }
    }

    pub(crate) fn has_rebalance(&self) -> bool {
        match self {
            Self::Own(member) => member.has_rebalance(),
            Self::Librdkafka(consumer) => consumer.context().has_rebalance(),
        }
    }

    /// Whether the group's protocol adds partitions to the assignment, rather than replacing it.
    pub(crate) fn adds_to_assignment(&self) -> bool {
        match self {
            Self::Own(member) => member.is_cooperative(),
            Self::Librdkafka(consumer) => consumer_events::adds_to_assignment(consumer),
        }
    }

    /// Whether others may have the partitions already.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Own(member) => member.is_lost(),
            Self::Librdkafka(consumer) => consumer.assignment_lost(),
        }
    }

    /// Performs an assignment. The start of those that are `leaderless` is replaced before anything of them is read.
    pub(crate) fn assign(&self, positions: &Offsets, leaderless: &[TopicPartition]) -> Result<()> {
        let Self::Librdkafka(consumer) = self else { return Ok(()) };
        let mut list = with_offsets(positions)?;
        for partition in leaderless {
            list.add_partition_offset(&partition.topic, partition.partition, Offset::Beginning)
                .map_err(|error| broker_error::from_client(&format!("assign {partition}"), &error))?;
        }
        consumer_events::assign(consumer, &list)
            .map_err(|error| broker_error::from_client("take over partitions", &error))
    }

    /// Performs a revocation.
    pub(crate) fn unassign(&self, partitions: &[TopicPartition]) -> Result<()> {
        match self {
            Self::Own(member) => {
                member.has_given_up();
                Ok(())
            }
            Self::Librdkafka(consumer) => consumer_events::unassign(consumer, partitions)
                .map_err(|error| broker_error::from_client("give up partitions", &error)),
        }
    }

    /// Has librdkafka fetch nothing of these partitions.
    pub(crate) fn pause<'a>(&self, partitions: impl IntoIterator<Item = &'a TopicPartition>) -> Result<()> {
        let Self::Librdkafka(consumer) = self else { return Ok(()) };
        let list = list_of(partitions);
        if list.count() == 0 {
            return Ok(());
        }
        consumer.pause(&list).map_err(|error| broker_error::from_client("pause partitions", &error))
    }

    /// Undoes [`Membership::pause`].
    pub(crate) fn resume(&self, partitions: &[TopicPartition]) -> Result<()> {
        match self {
            Self::Librdkafka(consumer) if !partitions.is_empty() => {
                let resumed = consumer.resume(&list_of(partitions));
                resumed.map_err(|error| broker_error::from_client("resume partitions", &error))
            }
            _ => Ok(()),
        }
    }

    /// The partitions of a topic; none if it does not exist.
    ///
    /// # Errors
    /// `Retriable` when no broker answers, or does not know yet; `Config` when not authorized.
    pub(crate) fn partitions_of(&self, connection: &Connection, topic: &str) -> Result<Vec<TopicPartition>> {
        match self {
            Self::Own(member) => member.partitions_of(topic),
            Self::Librdkafka(consumer) => partitions_of(consumer, connection, topic),
        }
    }

    /// The same, for an answer that is final: a broker that does not know the topic is asked a second time.
    ///
    /// # Errors
    /// As [`Membership::partitions_of`].
    pub(crate) fn settled_partitions_of(&self, connection: &Connection, topic: &str) -> Result<Vec<TopicPartition>> {
        unless_none(|| self.partitions_of(connection, topic))
    }

    /// Commits and waits for the answer.
    pub(crate) fn commit(&self, connection: &Connection, offsets: &Offsets, metadata: &OffsetMetadata) -> Result<()> {
        match self {
            Self::Own(member) => member.commit(offsets, metadata),
            Self::Librdkafka(consumer) => {
                let list = with_offsets(offsets)?;
                for (partition, text) in metadata {
                    if let Some(mut element) = list.find_partition(&partition.topic, partition.partition) {
                        element.set_metadata(text);
                    }
                }
                let outcome = consumer.commit(&list, CommitMode::Sync);
                connection.outcome("commit offsets", outcome)
            }
        }
    }

    /// The committed offsets; partitions without one are left out.
    pub(crate) fn committed(&self, connection: &Connection, partitions: &[TopicPartition]) -> Result<Offsets> {
        match self {
            Self::Own(member) => member.committed(partitions),
            Self::Librdkafka(consumer) => {
                let outcome = consumer.committed_offsets(list_of(partitions), TIMEOUT);
                let list = connection.outcome("read committed offsets", outcome)?;
                offsets_in(&list, "read the committed offset")
            }
        }
    }

    /// Offsets in the logs of partitions, as [`list_known_offsets`].
    pub(crate) fn log_offsets(
        &self,
        connection: &Connection,
        partitions: &[TopicPartition],
        which: Offset,
    ) -> Result<KnownOffsets> {
        match self {
            Self::Own(member) => member.log_offsets(partitions, which),
            Self::Librdkafka(consumer) => list_known_offsets(consumer, connection, partitions, which, TIMEOUT),
        }
    }
}
