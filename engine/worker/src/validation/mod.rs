//! Validation of connector configurations, with Kafka Connect's order, forms and messages.

mod alias_keys;
mod client_keys;
mod client_overrides;
mod config_infos;
mod connector_answer;
mod converter_keys;
mod definition_list;
mod exactly_once;
mod framework_keys;
mod plugin_choice;
mod references;
mod section;
mod sink_group;
mod sink_range;
mod sink_topics;
#[cfg(test)]
mod tests;
mod validator;
mod worker_facts;

pub use client_overrides::OverridePolicy;
pub use config_infos::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo};
pub use definition_list::plugin_definitions;
pub(crate) use plugin_choice::no_such_version;
pub use validator::{ConnectorValidator, validation_failure};
