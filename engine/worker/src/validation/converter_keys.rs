//! Converters that a connector sets for itself, with all their keys.

use volley_api::{ConfigMap, ConfigValue, PluginKind};

use super::section::Section;
use crate::plugins::Plugins;
use crate::worker_config::without_prefix;

const CONVERTERS: [(&str, PluginKind); 3] = [
    ("key.converter", PluginKind::Converter),
    ("value.converter", PluginKind::Converter),
    ("header.converter", PluginKind::HeaderConverter),
];

/// Checks the converter classes in the framework's section.
pub(super) fn check_converter_classes(section: &mut Section, plugins: &Plugins) {
    for (key, kind) in CONVERTERS {
        let Some(class) = section.text(key).map(str::to_owned) else { continue };
        let found = plugins.find(kind, &class);
        if let Err(error) = &found {
            section.error(key, format!("Invalid value {class} for configuration {key}: {error}"));
        }
        if let Some(entry) = section.entries.get_mut(key) {
            entry.parsed = found.map_or(ConfigValue::Null, |plugin| ConfigValue::String(plugin.class.to_owned()));
        }
    }
}

/// The sections of the converters that the connector sets: all keys of each, with their prefix.
pub(super) fn converter_sections(config: &ConfigMap, plugins: &Plugins) -> Vec<Section> {
    let sections = CONVERTERS.iter().filter_map(|(key, kind)| {
        let plugin = plugins.find(*kind, config.get(*key)?.trim()).ok()?;
        let prefix = format!("{key}.");
        // Parsed without the prefix, so that messages name the key as Kafka Connect does.
        let mut section = Section::of(&plugin.config_def, &without_prefix(config, &prefix));
        section.entries = std::mem::take(&mut section.entries)
            .into_iter()
            .map(|(name, mut entry)| {
                entry.key.name = format!("{prefix}{name}");
                (entry.key.name.clone(), entry)
            })
            .collect();
        Some(section)
    });
    sections.collect()
}
