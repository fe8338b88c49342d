//! Where configurations, states and source offsets are kept.

mod cluster_config_state;
mod completion;
mod config_backing_store;
#[cfg(test)]
mod config_conformance;
mod config_leadership;
mod config_record;
#[cfg(test)]
mod config_reference_tests;
mod connector_offset_backing_store;
mod connector_offset_stores;
mod file_offset_backing_store;
mod internal_topics;
mod java_hash_map;
mod json_bytes;
mod kafka_config_backing_store;
mod kafka_offset_backing_store;
mod kafka_status_backing_store;
mod kafka_stores;
mod memory_config_backing_store;
mod memory_offset_backing_store;
mod memory_status_backing_store;
mod offset_backing_store;
#[cfg(test)]
mod offset_conformance;
mod offset_key;
mod status;
mod status_backing_store;
mod status_cache;
#[cfg(test)]
mod status_conformance;
mod status_record;
mod status_sender;
mod stored_json;
mod target_state;
mod task_run;

pub use cluster_config_state::{ClusterConfigState, ConfigUpdate};
pub use completion::Completion;
pub use config_backing_store::ConfigBackingStore;
pub use config_record::{ConfigRecord, RestartRequest, SessionKey};
pub use connector_offset_backing_store::ConnectorOffsetBackingStore;
pub use connector_offset_stores::ConnectorOffsetStores;
pub use file_offset_backing_store::FileOffsetBackingStore;
pub use kafka_config_backing_store::{ConfigUpdateListener, KafkaConfigBackingStore};
pub use kafka_offset_backing_store::KafkaOffsetBackingStore;
pub use kafka_status_backing_store::KafkaStatusBackingStore;
pub use kafka_stores::KafkaStores;
pub use memory_config_backing_store::MemoryConfigBackingStore;
pub use memory_offset_backing_store::MemoryOffsetBackingStore;
pub use memory_status_backing_store::MemoryStatusBackingStore;
pub use offset_backing_store::{OffsetBackingStore, OffsetEntry};
pub use status::{State, Status, StatusKey, TopicStatus};
pub use status_backing_store::StatusBackingStore;
pub use status_cache::StatusCache;
pub use status_record::StatusRecord;
pub use target_state::TargetState;
pub use task_run::TaskRun;

// for `status_conformance`, which finds its names in its parent, as the tests on a real broker include it too
#[cfg(test)]
use crate::connector_task_id::ConnectorTaskId;
#[cfg(test)]
use crate::task::TaskProgressSnapshot;
