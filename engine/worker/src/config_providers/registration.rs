//! The providers as plug-ins.

use volley_api::{ConfigDef, ConfigKey, ConfigType, Importance, Plugin, PluginFactory};

use super::{DirectoryConfigProvider, EnvVarConfigProvider, FileConfigProvider};

/// The config providers of this crate.
pub fn plugins() -> Vec<Plugin> {
    vec![
        provider(
            "org.apache.kafka.common.config.provider.FileConfigProvider",
            "Values of Java property files: ${file:/path/to/file:key}.",
            allowed_paths_key(),
            PluginFactory::config_provider(FileConfigProvider::new),
        ),
        provider(
            "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
            "Files of a directory, each a value: ${directory:/path/to/directory:file-name}.",
            allowed_paths_key(),
            PluginFactory::config_provider(DirectoryConfigProvider::new),
        ),
        provider(
            "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "Environment variables: ${env:NAME}.",
            ConfigKey::with_default(
                "allowlist.pattern",
                ConfigType::String,
                ".*",
                Importance::Low,
                "Regular expression of the variables that may be read; it must match the whole name.",
            ),
            PluginFactory::config_provider(EnvVarConfigProvider::new),
        ),
    ]
}

fn allowed_paths_key() -> ConfigKey {
    ConfigKey::optional(
        "allowed.paths",
        ConfigType::List,
        Importance::Low,
        "Absolute paths, comma separated, that may be read with all that is under them; not given: every path.",
    )
}

fn provider(class: &'static str, documentation: &'static str, key: ConfigKey, factory: PluginFactory) -> Plugin {
    Plugin::new(class, env!("CARGO_PKG_VERSION"), documentation, ConfigDef::new().key(key), factory)
}
