//! Selects a plug-in by its class and its version (KIP-891).

use volley_api::{ConfigKey, ConfigValue, Given, Plugin, PluginKind};

use super::section::Section;
use crate::plugins::{Plugins, VersionRange, interface};

/// The meaning of the user's text.
enum Named<'a> {
    Plugin(&'a Plugin),
    /// A class of another kind.
    Other(&'a str),
    /// A class of which only these nested classes are plug-ins.
    Abstract(Vec<String>),
    Nothing,
}

fn named<'a>(plugins: &'a Plugins, kind: PluginKind, text: &str) -> Named<'a> {
    if let Ok(plugin) = plugins.find(kind, text) {
        return Named::Plugin(plugin);
    }
    if let Some(other) = plugins.find_any(text) {
        return Named::Other(&other.class);
    }
    let nested: Vec<_> =
        plugins.classes(kind).into_iter().filter(|class| class.starts_with(&format!("{text}$"))).collect();
    if nested.is_empty() { Named::Nothing } else { Named::Abstract(nested) }
}

/// The key of a version, with the versions of the given class; the version of that class is the default.
pub(super) fn version_key(key: ConfigKey, plugins: &Plugins, kind: PluginKind, class: Given<'_>) -> ConfigKey {
    let Given::Text(class) = class else { return key };
    match named(plugins, kind, class.trim()) {
        Named::Plugin(plugin) => recommended(key, plugins, plugin),
        _ => key.defaulting_to(None),
    }
}

/// The key of a version, with all of a plug-in, of which the newest is the default.
pub(super) fn recommended(key: ConfigKey, plugins: &Plugins, plugin: &Plugin) -> ConfigKey {
    let versions: Vec<_> = plugins.versions_of(plugin).map(|plugin| plugin.version.to_string()).collect();
    let mut key = key.defaulting_to(versions.last().map(String::as_str));
    key.recommended_values = versions;
    key
}

/// The plug-in of class and version; `None`, with errors at the keys, if there is none. `range_errors_at` are the keys
/// at which a malformed range is reported.
pub(super) fn choose<'a>(
    section: &mut Section,
    plugins: &'a Plugins,
    kind: PluginKind,
    [class_key, version_key]: [&str; 2],
    range_errors_at: &[&str],
) -> Option<&'a Plugin> {
    let text = section.text(class_key)?.to_owned();
    let plugin = match named(plugins, kind, &text) {
        Named::Plugin(plugin) => plugin,
        Named::Other(class) => {
            section.set_value(class_key, ConfigValue::String(class.to_owned()));
            section
                .error(class_key, format!("Class class {class} does not implement the {} interface", interface(kind)));
            return None;
        }
        Named::Abstract(nested) => {
            let nested = nested.join(", ");
            let message = format!("This class is abstract and cannot be created. Did you mean {nested}?");
            section.error(class_key, message);
            return None;
        }
        Named::Nothing => {
            section.set_value(class_key, ConfigValue::Null);
            let instead = instead_of(&text);
            let message = format!(
                "Invalid value {text} for configuration {class_key}: Class {text} could not be found.{instead}"
            );
            section.error(class_key, message);
            return None;
        }
    };
    section.set_value(class_key, ConfigValue::String(plugin.class.to_string()));
    let Some(spec) = section.text(version_key).map(str::to_owned) else { return Some(plugin) };
    match VersionRange::parse(&spec) {
        Err(message) => {
            range_errors_at.iter().for_each(|key| section.error(key, message.clone()));
            None
        }
        Ok(range) => {
            let chosen = plugins.of_version(plugin, &range);
            if chosen.is_none() {
                let message = no_such_version(plugins, &plugin.class, &range);
                [class_key, version_key].iter().for_each(|key| section.error(key, message.clone()));
            }
            chosen
        }
    }
}

/// What to use in place of a class that people bring along from Java, and that is not here.
fn instead_of(class: &str) -> &'static str {
    match class {
        "io.debezium.converters.CloudEventsConverter" => {
            " CloudEvents are not written here: org.apache.kafka.connect.json.JsonConverter writes the same events in \
             Debezium's own envelope."
        }
        _ => "",
    }
}

/// The reason why no plug-in of a class matches.
pub(crate) fn no_such_version(plugins: &Plugins, class: &str, range: &VersionRange) -> String {
    let versions = plugins.versions(class).join(", ");
    format!("Plugin {class} not found that matches the version range {range}, available versions: [{versions}]")
}
