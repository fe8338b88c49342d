//! What a sink task may ask about its consumer group.

use crate::{Offsets, Result, TopicPartition};

/// As which member of which group a task consumes: what a client has to show that commits offsets for it, in a transaction of its
/// own for example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    /// `group.id`
    pub group_id: String,
    /// -1 where it is not known: then the brokers do not notice that the group has gone on without the task.
    pub generation: i32,
    /// Empty where it is not known.
    pub member_id: String,
    /// `group.instance.id` of a static member.
    pub instance_id: Option<String>,
}

/// The consumer group of a task, which the worker knows. It may be asked from any thread; an answer takes a request to Kafka.
pub trait SinkGroup: Send + Sync {
    /// What the group has committed in Kafka, by whomever; partitions without an offset are left out.
    ///
    /// # Errors
    /// `Retriable` when Kafka does not answer, or the task does not consume yet; others when it refuses.
    fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets>;

    /// As which member the task consumes the partitions that it has.
    ///
    /// # Errors
    /// When the group has gone on without the task: what is committed now would take effect twice.
    fn metadata(&self) -> Result<GroupMetadata>;
}
