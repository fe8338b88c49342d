//! Where the values of `${provider:path:key}` come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::Result;

/// Resolves variables in worker and connector configurations (KIP-297). Configured at creation, by its
/// `config.providers.<name>.param.*` keys: see [`crate::PluginFactory::ConfigProvider`].
pub trait ConfigProvider: Send + Sync {
    /// The values of `keys` at `path` (empty where the references have none). All keys that a configuration refers to at one path
    /// are asked for together. A reference whose key is not among the values is an error.
    ///
    /// # Errors
    /// If the path cannot be read or is not allowed, or there is no such key: the reason, which the user is told. It MUST NOT
    /// have a value in it.
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<ConfigData>;

    /// The worker ends, and asks no more. Called more than once, perhaps.
    fn close(&self) {}
}

/// What a config provider says. `Debug` shows no values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConfigData {
    /// By key.
    pub values: BTreeMap<String, String>,
    /// How long they hold; `None` if for ever. A connector is started again when the first of its values has expired, unless its
    /// `config.action.reload` is `none`.
    pub ttl: Option<Duration>,
}

impl ConfigData {
    /// What `get` says of each of `keys`; it holds for ever.
    ///
    /// # Errors
    /// The first of `get`.
    pub fn of_each(keys: &BTreeSet<&str>, get: impl Fn(&str) -> Result<String>) -> Result<Self> {
        let values = keys.iter().map(|key| Ok(((*key).to_owned(), get(key)?))).collect::<Result<_>>()?;
        Ok(Self { values, ttl: None })
    }
}

impl fmt::Debug for ConfigData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigData").field("keys", &self.values.keys()).field("ttl", &self.ttl).finish()
    }
}
