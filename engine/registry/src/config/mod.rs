//! What users say about registries.

mod apicurio_config;
mod apicurio_keys;
#[cfg(test)]
mod apicurio_tests;
mod base_url;
mod connection;
mod credentials;
mod key_words;
mod keys;
mod registry_config;
#[cfg(test)]
mod tests;

pub(crate) use apicurio_config::{ArtifactApi, ArtifactSettings, IfExists};
pub use apicurio_keys::apicurio_config_def;
pub(crate) use base_url::BaseUrl;
pub(crate) use connection::{Connection, Place, Proxy, RetryLimits};
pub(crate) use credentials::{Credentials, OAuthClient};
pub(crate) use key_words::{CONFLUENT, KeyWords};
pub use keys::registry_config_def;
pub(crate) use registry_config::{ClientSettings, Dialect};
pub use registry_config::{RegistryConfig, WriterSchema};
