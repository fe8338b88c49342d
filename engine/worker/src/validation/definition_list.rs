//! The definitions of a plug-in's keys, for `GET /connector-plugins/{plugin}/config`.

use volley_api::{ConnectorKind, Plugin, PluginKind};

use super::config_infos::ConfigKeyInfo;
use crate::connector_config::{CONNECTOR_VERSION, framework_config_def};
use crate::plugins::Plugins;

/// The own keys of one of `plugins`. For a connector, followed by the framework's keys that it does not define itself, where the
/// newest version is the default one.
pub fn plugin_definitions(plugins: &Plugins, plugin: &Plugin) -> Vec<ConfigKeyInfo> {
    let own = plugin.config_def.keys().iter().filter(|key| !key.is_unlisted).map(ConfigKeyInfo::from);
    let kind = match plugin.kind() {
        PluginKind::Sink => ConnectorKind::Sink,
        PluginKind::Source => ConnectorKind::Source,
        _ => return own.collect(),
    };
    let framework = framework_config_def(kind);
    let framework = framework.keys().iter().filter(|key| plugin.config_def.find(&key.name).is_none());
    let newest = plugins.versions_of(plugin).last().map(|newest| &*newest.version);
    let framework = framework.map(|key| match key.name.as_str() {
        CONNECTOR_VERSION => ConfigKeyInfo::from(&key.clone().defaulting_to(newest)),
        _ => ConfigKeyInfo::from(key),
    });
    own.chain(framework).collect()
}
