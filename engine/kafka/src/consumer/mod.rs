//! Consuming in batches: from topics or a pattern of them to batches of one partition each.
//!
//! ```text
//!  FetchSettings ─► Fetcher ─ poll ─► ConsumerEvents ─ rebalances ─► Assignment, StartPositions ─► RebalanceListener
//!                      │                                                 │
//!                      └─ messages ─► BatchBuilder of each partition ─► RawBatch …
//!  Committer ─► offsets of the group
//! ```
//!
//! A `Fetcher` owns a librdkafka consumer and is called by one thread. It reads the start offsets of newly assigned
//! partitions (`StartPositions`). It gathers the messages of each partition until a batch is full or its linger ends.
//! It reports every rebalance to the listener, in order with the batches. A `Committer` commits offsets, from any
//! thread. When the consumer ends, `Departure` makes sure that the group does not wait for it.

mod assignment;
mod committer;
mod consumer_events;
mod departure;
mod fetch_settings;
mod fetcher;
mod log_place;
mod membership;
mod membership_log;
mod own_group;
mod partition_offsets;
mod rebalance;
mod start_positions;
mod subscribed_offsets;
mod topic_partitions;
mod topic_pattern;

pub(crate) use assignment::Assignment;
pub use committer::Committer;
pub(crate) use committer::PROBE_GROUP;
pub(crate) use consumer_events::{ConsumerEvents, NativeConsumer};
pub use fetch_settings::{FetchSettings, TopicSelection};
pub use fetcher::Fetcher;
pub use log_place::LogPlace;
pub(crate) use partition_offsets::list_offsets;
pub use rebalance::RebalanceListener;
pub use start_positions::StartPlaces;
pub use subscribed_offsets::{subscribed_end_offsets, subscribed_offsets};
