//! The definitions of a plug-in's keys, for `GET /connector-plugins/{plugin}/config`.

use volley_api::{ConnectorKind, Plugin, PluginKind};

use super::config_infos::ConfigKeyInfo;
use crate::connector_config::framework_config_def;

/// The plug-in's own keys. For a connector, followed by the framework's keys that it does not define itself.
pub fn plugin_definitions(plugin: &Plugin) -> Vec<ConfigKeyInfo> {
    let own = plugin.config_def.keys().iter().filter(|key| !key.is_unlisted).map(ConfigKeyInfo::from);
    let kind = match plugin.kind() {
        PluginKind::Sink => ConnectorKind::Sink,
        PluginKind::Source => ConnectorKind::Source,
        _ => return own.collect(),
    };
    let framework = framework_config_def(kind);
    let framework = framework.keys().iter().filter(|key| plugin.config_def.find(&key.name).is_none());
    let framework = framework.map(|key| match key.name.as_str() {
        "connector.plugin.version" => ConfigKeyInfo::from(&key.clone().defaulting_to(Some(&plugin.version))),
        _ => ConfigKeyInfo::from(key),
    });
    own.chain(framework).collect()
}
