//! Secrets never leave the worker: what stands in their place when a configuration is shown, and how a shown configuration
//! is taken back.

use volley_api::{ConfigDef, ConfigMap, ConfigType, PluginKind};

use crate::config_transformer::has_variable;
use crate::plugins::Plugins;

/// What is shown for a secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// The configuration as it may be shown: values of PASSWORD keys hidden, unless they refer to a config provider.
pub(crate) fn mask_secrets(config: &ConfigMap, plugins: &Plugins) -> ConfigMap {
    let mut masked = config.clone();
    for (key, value) in &mut masked {
        if !has_variable(value) && is_secret(key, config, plugins) {
            HIDDEN.clone_into(value);
        }
    }
    masked
}

/// A configuration as a user sent it, with the stored value wherever he sent back `[hidden]` for a secret.
pub(crate) fn unmask_secrets(given: &mut ConfigMap, stored: &ConfigMap, plugins: &Plugins) {
    let hidden: Vec<String> =
        given.iter().filter(|(_, value)| value.trim() == HIDDEN).map(|(key, _)| key.clone()).collect();
    for key in hidden {
        if let Some(secret) = stored.get(&key).filter(|_| is_secret(&key, given, plugins)) {
            given.insert(key, secret.clone());
        }
    }
}

/// Whether a key of a Kafka client holds a secret.
pub(crate) fn is_secret_client_key(key: &str) -> bool {
    const WORDS: [&str; 6] = ["password", "secret", "jaas", "credential", "user.info", "private.key"];
    WORDS.iter().any(|word| key.contains(word)) || matches!(key, "ssl.keystore.key" | "ssl.key.pem")
}

fn is_secret(key: &str, config: &ConfigMap, plugins: &Plugins) -> bool {
    for client in ["producer.override.", "consumer.override.", "admin.override."] {
        if let Some(key) = key.strip_prefix(client) {
            return is_secret_client_key(key);
        }
    }
    for (converter, kind) in [
        ("key.converter", PluginKind::Converter),
        ("value.converter", PluginKind::Converter),
        ("header.converter", PluginKind::HeaderConverter),
    ] {
        if let Some(key) = key.strip_prefix(converter).and_then(|rest| rest.strip_prefix('.')) {
            return is_password_of(converter, kind, key, config, plugins) || is_secret_client_key(key);
        }
    }
    for (chain, kind) in [("transforms.", PluginKind::Transformation), ("predicates.", PluginKind::Predicate)] {
        if let Some((alias, key)) = key.strip_prefix(chain).and_then(|rest| rest.split_once('.')) {
            return is_password_of(&format!("{chain}{alias}.type"), kind, key, config, plugins);
        }
    }
    let class = config.get("connector.class").map(|class| class.trim());
    class
        .and_then(|class| plugins.find_connector(class).ok())
        .is_some_and(|plugin| is_password(&plugin.config_def, key))
}

fn is_password_of(class_key: &str, kind: PluginKind, key: &str, config: &ConfigMap, plugins: &Plugins) -> bool {
    let class = config.get(class_key).map(|class| class.trim());
    class.and_then(|class| plugins.find(kind, class).ok()).is_some_and(|plugin| is_password(&plugin.config_def, key))
}

fn is_password(def: &ConfigDef, key: &str) -> bool {
    def.find(key).is_some_and(|key| key.config_type == ConfigType::Password)
}
