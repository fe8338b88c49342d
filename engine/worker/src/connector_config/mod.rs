//! The keys that every connector has, whatever its class.

mod bounded_range;
mod definition;
mod java_keys;
mod moment;
mod topic_creation;
mod validators;

pub(crate) use bounded_range::{BOUNDED_END, BOUNDED_START};
pub use bounded_range::{BoundedRange, parse_bounded_end, parse_bounded_start};
pub(crate) use definition::CONNECTOR_VERSION;
pub use definition::{base_config_def, framework_config_def, volley_config_def};
pub(crate) use java_keys::{JAVA, JAVA_GROUP, JAVA_HEAP, JAVA_PROCESS, java_heap_size};
pub use moment::{moment_text, parse_moment};
pub use topic_creation::TopicCreation;
pub(crate) use validators::MAX_NAME_BYTES;
