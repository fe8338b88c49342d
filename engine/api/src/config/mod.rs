//! Configurations: their definition as data, their values, and where the values of variables come from.

#[allow(clippy::module_inception)] // the thing itself, among what belongs to it
mod config;
mod config_def;
mod config_provider;
mod secret;
mod validator;

pub use config::{Config, ConfigMap, ConfigValue};
pub use config_def::{ConfigDef, ConfigIssue, ConfigKey, ConfigType, Given, Importance, Width};
pub use config_provider::{ConfigData, ConfigProvider};
pub use secret::Secret;
pub use validator::{CustomCheck, Validator};
