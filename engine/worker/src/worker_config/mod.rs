//! The worker's configuration: typed keys, and the settings that its Kafka clients inherit.

mod client_properties;
mod config;
mod definition;
mod prefix;

pub use config::{BatchLimits, WorkerConfig};
pub use definition::{common_config_def, standalone_config_def};
pub use prefix::without_prefix;
