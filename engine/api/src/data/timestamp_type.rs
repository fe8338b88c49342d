//! Who set the timestamp of a record.

use std::fmt;

/// A topic's `message.timestamp.type`, as it was when a record was written. `Display` gives Kafka's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// Its producer, when the record was made.
    #[default]
    CreateTime,
    /// The broker, when it took the record.
    LogAppendTime,
}

impl fmt::Display for TimestampType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        })
    }
}
