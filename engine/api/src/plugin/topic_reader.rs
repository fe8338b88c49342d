//! Topics that a plug-in reads as a whole.

use std::fmt;

use crate::{ConfigMap, Result};

/// Takes the key and the value of each record, in the order of its partition, on a thread of the reader's. A null value
/// deletes what the key had before.
pub type TakeRecord = Box<dyn FnMut(Option<&[u8]>, Option<&[u8]>) + Send>;

/// Reads compacted topics.
pub trait TopicReader: fmt::Debug + Send + Sync {
    /// Reads all of `topic`, and later what is written to it, until the answer is dropped. When this returns, `take` has
    /// had all records that were there. `client`: keys of the consumer, where they differ from those of the connector's.
    ///
    /// # Errors
    /// `Config` if there is no such topic or a key is wrong; `Retriable` if the brokers do not answer.
    fn read_topic(&self, topic: &str, client: &ConfigMap, take: TakeRecord) -> Result<Box<dyn Send>>;
}
