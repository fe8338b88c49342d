//! The stores of configurations, states and source offsets.
//!
//! Each folder has a trait, an implementation in memory for a standalone worker, one on a compacted Kafka topic for a
//! group, and a conformance test that all implementations pass. The records are Kafka Connect's, byte for byte.
//!
//! ```text
//!  config/   ConfigBackingStore ─► ConfigRecord ─► ClusterConfigState, the desired state
//!  status/   StatusBackingStore ─► StatusRecord ─► StatusCache, the observed state
//!  offset/   OffsetBackingStore: the position in each source partition
//!  kafka_stores: opens the topics of all three, in parallel
//! ```

mod config;
mod internal_topics;
mod json_bytes;
mod kafka_stores;
mod offset;
mod status;
mod stored_json;

pub use config::{
    ClusterConfigState, Completion, ConfigBackingStore, ConfigRecord, ConfigUpdate, ConfigUpdateListener,
    KafkaConfigBackingStore, MemoryConfigBackingStore, RestartRequest, SessionKey, TargetState,
};
pub use kafka_stores::KafkaStores;
pub use offset::{
    ConnectorOffsetBackingStore, ConnectorOffsetStores, FileOffsetBackingStore, KafkaOffsetBackingStore,
    MemoryOffsetBackingStore, OffsetBackingStore, OffsetEntry, OffsetRecords,
};
pub(crate) use offset::{LazyOffsetReader, StoredOffsetReader, offset_entry};
pub(crate) use status::by_stage;
pub use status::{
    KafkaStatusBackingStore, MemoryStatusBackingStore, State, Status, StatusBackingStore, StatusCache, StatusKey,
    StatusRecord, TaskProgressSnapshot, TaskRun, TopicStatus,
};
