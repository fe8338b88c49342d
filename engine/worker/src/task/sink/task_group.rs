//! The consumer group of a sink task, for its plug-in, which is made before the task's consumer.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use volley_api::{Error, GroupMetadata, Offsets, Result, SinkGroup, TopicPartition};

use crate::task::sink::revocation::Revocation;

/// Asks Kafka for the plug-in, by the task's consumer.
pub(crate) struct TaskGroup {
    consumer: OnceLock<Box<dyn SinkGroup>>,
    revocation: Arc<Revocation>,
    /// As which member the task had what it is to give up. A put that takes too long may outlast its place in the group: it must
    /// not commit as the member that this is by then.
    held: Mutex<Result<GroupMetadata>>,
}

impl TaskGroup {
    /// The group of a task whose consumer is yet to come.
    pub(crate) fn new(revocation: Arc<Revocation>) -> Self {
        Self { consumer: OnceLock::new(), revocation, held: Mutex::new(Err(not_yet())) }
    }

    /// The task's consumer is there.
    pub(crate) fn consumes(&self, consumer: impl SinkGroup + 'static) {
        drop(self.consumer.set(Box::new(consumer)));
    }

    /// Partitions are about to be revoked: until that is done, the task is the member that it is now. Called before the
    /// revocation begins.
    pub(crate) fn gives_up(&self) {
        if !self.revocation.is_under_way() {
            *self.held.lock() = self.now();
        }
    }

    /// Partitions are gone: what the task still does with them must not count. Called before it is told so.
    pub(crate) fn has_lost(&self) {
        let error = Error::retriable("the task has lost its partitions, and others may have them");
        *self.held.lock() = Err(error.with_exception("org.apache.kafka.clients.consumer.CommitFailedException"));
    }

    fn now(&self) -> Result<GroupMetadata> {
        self.consumer.get().ok_or_else(not_yet)?.metadata()
    }
}

impl SinkGroup for TaskGroup {
    fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
        self.consumer.get().ok_or_else(not_yet)?.committed(partitions)
    }

    fn metadata(&self) -> Result<GroupMetadata> {
        if self.revocation.is_under_way() {
            return self.held.lock().clone();
        }
        self.now()
    }
}

fn not_yet() -> Error {
    Error::retriable("the task is not in its consumer group yet: it may ask from the first `open` on")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI32, Ordering};

    use super::*;

    /// A consumer whose group is in this generation.
    struct Consumer(Arc<AtomicI32>);

    impl SinkGroup for Consumer {
        fn committed(&self, partitions: &[TopicPartition]) -> Result<Offsets> {
            Ok(partitions.iter().map(|partition| (partition.clone(), 7)).collect())
        }

        fn metadata(&self) -> Result<GroupMetadata> {
            let generation = self.0.load(Ordering::SeqCst);
            Ok(GroupMetadata { group_id: "g".to_owned(), generation, member_id: "m".to_owned(), instance_id: None })
        }
    }

    fn partitions() -> [TopicPartition; 1] {
        [TopicPartition::new("t", 0)]
    }

    #[test]
    fn a_task_that_outlasts_its_place_in_the_group_does_not_commit_as_the_member_that_it_has_become() {
        let (revocation, generation) = (Arc::<Revocation>::default(), Arc::new(AtomicI32::new(3)));
        let group = TaskGroup::new(Arc::clone(&revocation));
        group.consumes(Consumer(Arc::clone(&generation)));
        let told = || group.metadata().map(|metadata| metadata.generation);
        group.gives_up();
        revocation.begins(&partitions());
        // nobody waits for the task any longer
        generation.store(4, Ordering::SeqCst);
        assert_eq!(told().unwrap(), 3);
        group.gives_up();
        revocation.begins(&partitions());
        assert_eq!(told().unwrap(), 3, "a second revocation that comes before the first is done");
        revocation.finished(&partitions());
        revocation.finished(&partitions());
        assert_eq!(told().unwrap(), 4);
    }

    #[test]
    fn a_task_whose_partitions_are_lost_commits_as_nobody() {
        let (revocation, generation) = (Arc::<Revocation>::default(), Arc::new(AtomicI32::new(3)));
        let group = TaskGroup::new(Arc::clone(&revocation));
        assert!(group.metadata().unwrap_err().is_retriable(), "before it consumes");
        group.consumes(Consumer(generation));
        group.has_lost();
        revocation.begins(&partitions());
        assert!(group.metadata().unwrap_err().to_string().contains("lost its partitions"));
        assert_eq!(group.committed(&partitions()).unwrap().len(), 1, "whoever it is may look");
        revocation.finished(&partitions());
        assert_eq!(group.metadata().unwrap().generation, 3);
    }
}
