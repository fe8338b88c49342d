//! The keys that every connector has, whatever its class.

mod definition;
mod topic_creation;
mod validators;

pub use definition::{framework_config_def, volley_config_def};
pub use topic_creation::TopicCreation;
