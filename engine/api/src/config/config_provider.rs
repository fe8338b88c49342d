//! Where the values of `${provider:path:key}` come from.

use crate::Result;

/// Resolves variables in worker and connector configurations (KIP-297). Configured at creation, by its
/// `config.providers.<name>.param.*` keys: see [`crate::PluginFactory::ConfigProvider`].
pub trait ConfigProvider: Send + Sync {
    /// The value of `key` at `path` (empty where the reference has none).
    ///
    /// # Errors
    /// If the path cannot be read or is not allowed, or there is no such key: the reason, which the user is told. It MUST NOT
    /// have a value in it.
    fn get(&self, path: &str, key: &str) -> Result<String>;
}
