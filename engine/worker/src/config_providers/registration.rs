//! The providers as plug-ins.

use std::sync::Arc;

use volley_api::{ConfigDef, ConfigKey, ConfigProvider, ConfigType, Importance, Plugin, PluginFactory};

use super::{DirectoryConfigProvider, EnvVarConfigProvider, FileConfigProvider};

/// The config providers of this crate.
pub fn plugins() -> Vec<Plugin> {
    vec![
        provider(
            "org.apache.kafka.common.config.provider.FileConfigProvider",
            "Values of Java property files: ${file:/path/to/file:key}.",
            allowed_paths_key(),
            || Box::new(FileConfigProvider::default()),
        ),
        provider(
            "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
            "Files of a directory, each a value: ${directory:/path/to/directory:file-name}.",
            allowed_paths_key(),
            || Box::new(DirectoryConfigProvider::default()),
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
            || Box::new(EnvVarConfigProvider::default()),
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

fn provider(
    class: &'static str,
    documentation: &'static str,
    key: ConfigKey,
    new: fn() -> Box<dyn ConfigProvider>,
) -> Plugin {
    Plugin {
        class,
        aliases: &[],
        version: env!("CARGO_PKG_VERSION"),
        documentation,
        config_def: ConfigDef::new().key(key),
        factory: PluginFactory::ConfigProvider(Arc::new(new)),
    }
}
