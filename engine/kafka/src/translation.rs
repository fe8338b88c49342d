//! Java client keys to librdkafka's.

use rdkafka::ClientConfig;
use volley_api::ConfigMap;

/// What kind of client a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRole {
    /// A consumer.
    Consumer,
    /// A producer.
    Producer,
    /// An admin client.
    Admin,
}

/// A client configuration in librdkafka's keys.
#[derive(Clone, Debug)]
pub struct Translation {
    /// For librdkafka.
    pub config: ClientConfig,
    /// What could not be translated, a sentence each; never a value that may be secret.
    pub warnings: Vec<String>,
}

/// Translates the configuration of a Java client.
pub fn translate(properties: &ConfigMap, _role: ClientRole) -> Translation {
    let config = properties.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    Translation { config, warnings: Vec::new() }
}
