//! Which partitions are about to be revoked, so that a put which waits for its sink can give way.

use std::sync::{Mutex, PoisonError};

use volley_api::TopicPartition;

/// The revocation under way, if any. Set by the fetch stage, read by the put stage.
#[derive(Debug, Default)]
pub(crate) struct Revocation(Mutex<Vec<TopicPartition>>);

impl Revocation {
    pub(crate) fn begins(&self, partitions: &[TopicPartition]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(partitions);
    }

    pub(crate) fn finished(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn concerns(&self, partition: &TopicPartition) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(partition)
    }
}
