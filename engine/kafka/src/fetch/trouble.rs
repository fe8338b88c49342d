//! What the tasks cannot decide by themselves.

use volley_api::{Error, TopicPartition};

/// Something that the owner of the consumer has to know of.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The log of the partition has no record at its position, or is that of another topic with the same name. It is not
    /// fetched until it is sought.
    OutOfRange {
        /// The partition.
        partition: TopicPartition,
        /// Its position.
        offset: i64,
    },
    /// The cluster refuses the client or the request. It is tried again.
    Refused(Error),
}
