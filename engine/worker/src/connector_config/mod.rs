//! The keys that every connector has, whatever its class.

mod definition;
mod topic_creation;
mod validators;

pub use definition::{base_config_def, framework_config_def, volley_config_def};
pub use topic_creation::TopicCreation;
pub(crate) use validators::MAX_NAME_BYTES;
