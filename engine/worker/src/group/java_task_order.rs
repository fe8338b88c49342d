//! The orders in which Java goes through tasks.

use std::cmp::Ordering;

use volley_java::{JavaHash, compare_strings};

use crate::connector_task_id::ConnectorTaskId;

impl JavaHash for ConnectorTaskId {
    fn java_hash(&self) -> i32 {
        self.connector.java_hash().wrapping_mul(31).wrapping_add(self.task as i32)
    }
}

/// As `ConnectorTaskId.compareTo`: by connector, then by number.
pub(super) fn compare_tasks(left: &ConnectorTaskId, right: &ConnectorTaskId) -> Ordering {
    compare_strings(&left.connector, &right.connector).then(left.task.cmp(&right.task))
}
