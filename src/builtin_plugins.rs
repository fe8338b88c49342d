//! Everything that this program knows to do.

use volley_api::Plugin;

/// The plug-ins of all crates.
pub fn builtin_plugins() -> Vec<Plugin> {
    let mut plugins = volley_connectors::plugins();
    plugins.extend(volley_converters::plugins());
    plugins.extend(volley_transforms::plugins());
    plugins.extend(volley_sql::plugins());
    plugins.extend(volley_worker::config_providers::plugins());
    plugins
}
