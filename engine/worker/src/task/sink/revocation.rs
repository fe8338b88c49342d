//! The partitions that are about to be revoked, so that a put which waits for its sink can be interrupted.

use std::sync::{Mutex, PoisonError};

use volley_api::TopicPartition;

/// Pending revocations: those that the put stage has not performed yet. Written by the fetch stage, read by the put
/// stage.
#[derive(Debug, Default)]
pub(crate) struct Revocation(Mutex<Vec<TopicPartition>>);

impl Revocation {
    pub(crate) fn begins(&self, partitions: &[TopicPartition]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(partitions);
    }

    /// Notes that the revocation of exactly these partitions, which [`Revocation::begins`] announced, has been
    /// performed.
    pub(crate) fn finished(&self, partitions: &[TopicPartition]) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in partitions {
            if let Some(place) = pending.iter().position(|one| one == partition) {
                pending.swap_remove(place);
            }
        }
    }

    pub(crate) fn is_under_way(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_revocation_that_is_carried_out_does_not_hide_the_next() {
        let [first, second] = [0, 1].map(|number| [TopicPartition::new("t", number)]);
        let revocation = Revocation::default();
        // the same partition may be revoked twice before the put stage hears of it
        let order = [&first, &second, &first];
        order.iter().for_each(|partitions| revocation.begins(*partitions));
        for partitions in order {
            assert!(revocation.is_under_way());
            revocation.finished(partitions);
        }
        assert!(!revocation.is_under_way());
    }
}
