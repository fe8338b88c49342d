//! A transformation of keys and of values, as two plug-ins.

use volley_api::{ConfigDef, ConfigMap, KAFKA_VERSION, Plugin, PluginFactory, Result, Side, Transformation};

/// The plug-ins of a transformation of Kafka's own that has one class for each side. `what` says what it does, with `{side}` for
/// the side.
pub(crate) fn plugin_pair<T: Transformation + 'static>(
    classes: [&'static str; 2],
    what: &str,
    config_def: fn() -> ConfigDef,
    new: fn(&ConfigMap, Side) -> Result<T>,
) -> [Plugin; 2] {
    versioned_pair(KAFKA_VERSION, classes, what, config_def, new)
}

/// The same for a transformation of another maker, of this release.
pub(crate) fn versioned_pair<T: Transformation + 'static>(
    version: &'static str,
    classes: [&'static str; 2],
    what: &str,
    config_def: fn() -> ConfigDef,
    new: fn(&ConfigMap, Side) -> Result<T>,
) -> [Plugin; 2] {
    let plugin = |class, side, name| {
        let documentation = what.replace("{side}", name);
        let factory = PluginFactory::transformation(move |config| new(config, side));
        Plugin::new(class, version, documentation, config_def(), factory)
    };
    let [key, value] = classes;
    [plugin(key, Side::Key, "key"), plugin(value, Side::Value, "value")]
}
