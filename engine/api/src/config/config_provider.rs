//! Where the values of `${provider:path:key}` come from.

use crate::{ConfigMap, Result};

/// Resolves variables in worker and connector configurations (KIP-297).
pub trait ConfigProvider: Send + Sync {
    /// Takes the `config.providers.<name>.param.*` keys, prefix stripped. Called once, before any `get`.
    fn configure(&mut self, params: &ConfigMap) -> Result<()>;

    /// The value of `key` at `path` (empty where the reference has none).
    ///
    /// # Errors
    /// If the path cannot be read or is not allowed, or there is no such key: the reason, which the user is told. It MUST NOT
    /// have a value in it.
    fn get(&self, path: &str, key: &str) -> Result<String>;
}
