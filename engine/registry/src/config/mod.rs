//! What users say about registries.

mod base_url;
mod connection;
mod credentials;
mod keys;
mod registry_config;
#[cfg(test)]
mod tests;

pub(crate) use base_url::BaseUrl;
pub(crate) use connection::{Connection, Place, Proxy, RetryLimits};
pub(crate) use credentials::{Credentials, OAuthClient};
pub use keys::registry_config_def;
pub(crate) use registry_config::ClientSettings;
pub use registry_config::{RegistryConfig, WriterSchema};
