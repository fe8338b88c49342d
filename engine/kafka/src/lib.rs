//! All that talks to a broker: consuming in batches, producing, administration, and the translation of Java client keys.
//!
//! ```text
//!  Java client keys ─ translate ─► librdkafka configuration ─┬─► Fetcher ─► RawBatch …     (Committer: offsets)
//!                                                            ├─► Producer ◄─ Outgoing …    (Delivery …)
//!                                                            └─► TopicLog ─► LogListener … (LogWriter: records)
//! ```
//!
//! Those block the calling thread, with deadlines. `Admin` does too, and speaks Kafka's protocol itself, over connections of
//! its own (`wire`, `sasl`), which know why they fail. So does `GroupMember`, a membership in a group of any protocol type, which
//! is async. This is the only crate that names rdkafka.

mod admin;
mod assignors;
mod bootstrap;
mod broker_error;
mod connection;
mod consumer;
mod fencing;
mod fetch;
mod group;
mod group_offsets;
mod outage;
mod poll_time;
mod producer;
mod questions;
mod records;
mod sasl;
mod token_polling;
mod topic_log;
mod translation;
mod wire;

pub use admin::{Admin, NewTopic, TopicDescription};
pub use bootstrap::{check_bootstrap_list, check_bootstrap_servers};
pub use broker_error::{is_fenced, is_login_refused, is_missing_topic, is_timeout};
pub use consumer::{
    Committer, FetchSettings, Fetcher, LogPlace, RebalanceListener, StartPlaces, TopicSelection,
    subscribed_end_offsets, subscribed_offsets,
};
pub use group::{GroupError, GroupEvent, GroupMember, GroupResult, GroupSettings, Joined, MemberLoss, MemberStatus};
pub use producer::{Delivery, Outgoing, Producer, Returned};
pub use topic_log::{
    LogEnds, LogEntry, LogListener, LogRecord, LogSettings, LogWriter, OnDelivery, ReadingSettings, TopicLog,
    TopicReading, TransactionalLogWriter,
};
pub use translation::{ClientRole, Translation, is_client_key, translate};
