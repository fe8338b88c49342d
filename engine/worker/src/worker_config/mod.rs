//! The worker's configuration: typed keys, and the settings that its Kafka clients inherit.

mod client_properties;
mod config;
mod definition;
mod distributed;
mod distributed_definition;
mod internal_clients;
mod internal_topic;
mod java_definition;
mod java_settings;
mod own_chain;
mod prefix;
mod restart_policy;
mod tls_properties;
mod unknown_keys;

pub use config::{BatchLimits, WorkerConfig, WorkerMode};
pub use definition::{common_config_def, standalone_config_def};
pub use distributed::ExactlyOnceSourceSupport;
pub use distributed_definition::distributed_config_def;
pub use internal_clients::LogClients;
pub use internal_topic::InternalTopic;
pub use java_settings::{JavaSettings, JavaUse};
pub use prefix::without_prefix;
pub use restart_policy::RestartPolicy;
pub(crate) use tls_properties::{ADMIN_LISTENERS, LISTENERS, tls_properties};
pub(crate) use unknown_keys::unknown_keys;
