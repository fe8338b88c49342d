//! The framework's keys, with this worker's defaults.

use volley_api::{ConfigDef, ConfigKey, ConnectorKind, Given, Plugin};

use super::converter_keys::CONVERTERS;
use super::plugin_choice::{recommended, version_key};
use super::worker_facts::WorkerFacts;
use crate::connector_config::{CONNECTOR_VERSION, framework_config_def};
use crate::json_config::GivenConfig;
use crate::plugins::Plugins;

/// The framework's keys for a configuration of a connector of class `plugin`.
pub(super) fn framework_keys(
    kind: ConnectorKind,
    plugin: &Plugin,
    given: &GivenConfig,
    plugins: &Plugins,
    worker: &WorkerFacts,
) -> ConfigDef {
    let keys = framework_config_def(kind);
    let keys = keys.keys().iter().map(|key| match key.name.as_str() {
        CONNECTOR_VERSION => recommended(key.clone(), plugins, plugin),
        _ => converter_key(key.clone(), given, plugins, worker),
    });
    keys.fold(ConfigDef::new(), ConfigDef::key)
}

/// A key of a converter or of its version: the default is the worker's, and the recommended values are the available
/// classes. Other keys are unchanged.
fn converter_key(key: ConfigKey, given: &GivenConfig, plugins: &Plugins, worker: &WorkerFacts) -> ConfigKey {
    for (class_key, kind) in CONVERTERS {
        let default = worker.converter(class_key);
        if key.name == class_key {
            let mut key = key.defaulting_to(default);
            key.recommended_values = plugins.classes(kind);
            return key;
        }
        if key.name.strip_prefix(class_key) == Some(".plugin.version") {
            let default = default.map_or(Given::Nothing, Given::Text);
            return match given.given(class_key) {
                Given::Nothing => version_key(key, plugins, kind, default),
                Given::Null => {
                    let mut key = version_key(key, plugins, kind, default);
                    key.recommended_values.clear();
                    key
                }
                class => version_key(key, plugins, kind, class),
            };
        }
    }
    key
}
