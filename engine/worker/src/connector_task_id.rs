//! The name of a task.

use std::cmp::Ordering;
use std::fmt;

use volley_java::{JavaHash, compare_strings};

/// Names a task. `Display` gives Connect's form `connector-0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectorTaskId {
    /// Connector name.
    pub connector: String,
    /// Task number, from 0.
    pub task: usize,
}

impl fmt::Display for ConnectorTaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.connector, self.task)
    }
}

impl ConnectorTaskId {
    /// As Java's `ConnectorTaskId.compareTo`: by connector in Java's order of strings, then by number.
    pub(crate) fn java_cmp(&self, other: &Self) -> Ordering {
        compare_strings(&self.connector, &other.connector).then(self.task.cmp(&other.task))
    }
}

impl JavaHash for ConnectorTaskId {
    fn java_hash(&self) -> i32 {
        self.connector.java_hash().wrapping_mul(31).wrapping_add(self.task as i32)
    }
}
