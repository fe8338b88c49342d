//! The config topic: the connectors, their target states, and their tasks.
//!
//! ```text
//!  ConfigRecord … ─► topic, or memory ─► ClusterConfigState::apply ─► snapshot + ConfigUpdate (the change)
//! ```

mod cluster_config_state;
mod completion;
mod config_backing_store;
#[cfg(test)]
mod config_conformance;
mod config_leadership;
mod config_record;
#[cfg(test)]
mod config_reference_tests;
mod kafka_config_backing_store;
mod memory_config_backing_store;
mod target_state;

pub use cluster_config_state::{ClusterConfigState, ConfigUpdate};
pub use completion::Completion;
pub use config_backing_store::ConfigBackingStore;
pub(crate) use config_record::parse_task_id;
pub use config_record::{ConfigRecord, RestartRequest, SessionKey};
pub use kafka_config_backing_store::{ConfigUpdateListener, KafkaConfigBackingStore};
pub use memory_config_backing_store::MemoryConfigBackingStore;
pub use target_state::TargetState;
