//! All that talks to a broker: consuming in batches, producing, administration, and the translation of Java client keys.
//!
//! ```text
//!  Java client keys ─ translate ─► librdkafka configuration ─┬─► Fetcher ─► RawBatch …     (Committer: offsets)
//!                                                            ├─► Producer ◄─ Outgoing …    (Delivery …)
//!                                                            └─► Admin
//! ```
//!
//! This is the only crate that names rdkafka. Everything blocks the calling thread, with deadlines.

mod admin;
mod assignment;
mod batch_builder;
mod broker_error;
mod committer;
mod connection;
mod consumer_events;
mod fetch_settings;
mod fetcher;
mod producer;
mod rebalance;
mod start_positions;
mod topic_pattern;
mod translation;

pub use admin::{Admin, NewTopic, TopicDescription};
pub use committer::Committer;
pub use fetch_settings::{FetchSettings, TopicSelection};
pub use fetcher::Fetcher;
pub use producer::{Delivery, Outgoing, Producer};
pub use rebalance::RebalanceListener;
pub use translation::{ClientRole, Translation, translate};
