//! The keys that every connector has, whatever its class.

mod definition;
mod validators;

pub use definition::{framework_config_def, volley_config_def};
