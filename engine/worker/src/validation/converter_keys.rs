//! Validation of the converters that a connector sets for itself, with all their keys.

use volley_api::{ConfigValue, PluginKind};
use volley_java::sort_in_hash_order;

use super::plugin_choice::choose;
use super::section::{Entry, Section};
use crate::json_config::GivenConfig;
use crate::plugins::Plugins;

/// The keys that name a converter, in the order in which they are validated.
pub(super) const CONVERTERS: [(&str, PluginKind); 3] = [
    ("header.converter", PluginKind::HeaderConverter),
    ("key.converter", PluginKind::Converter),
    ("value.converter", PluginKind::Converter),
];

/// The keys of a converter, in the order and with the groups of the answer.
pub(super) struct ConverterSection {
    pub(super) groups: Vec<String>,
    pub(super) entries: Vec<Entry>,
}

/// Hides the versions of converters that have no class.
pub(super) fn hide_versions_without_class(framework: &mut Section) {
    for (key, _) in CONVERTERS {
        let has_class = framework.text(key).is_some();
        if let Some(version) = framework.entries.get_mut(&format!("{key}.plugin.version")) {
            version.is_visible = has_class;
        }
    }
}

/// Checks the converters in the framework's section, and returns all keys of each, with their prefix.
pub(super) fn converter_sections(
    framework: &mut Section,
    given: &GivenConfig,
    plugins: &Plugins,
) -> Vec<ConverterSection> {
    let sections = CONVERTERS.iter().filter_map(|(key, kind)| {
        given.values.get(*key)?;
        let version_key = format!("{key}.plugin.version");
        let is_fine = |key: &str| framework.entries.get(key).is_none_or(|entry| entry.errors.is_empty());
        if !is_fine(key) {
            return None;
        }
        if !is_fine(&version_key) {
            if let Ok(plugin) = plugins.find(*kind, framework.text(key)?) {
                framework.set_value(key, ConfigValue::String(plugin.class.to_string()));
            }
            return None;
        }
        let plugin = choose(framework, plugins, *kind, [key, &version_key], &[&version_key])?;
        let prefix = format!("{key}.");
        let mut given = given.without_prefix(&prefix);
        let use_of_it = key.split('.').next().unwrap_or_default();
        given.values.entry("converter.type".to_owned()).or_insert_with(|| use_of_it.to_owned());
        // Parsed without the prefix, so that messages name the key as Kafka Connect does.
        let section = Section::of(&plugin.config_def, &given);
        let mut groups = section.groups();
        sort_in_hash_order(&mut groups, |group| group);
        let mut entries: Vec<Entry> = section.entries.into_values().collect();
        sort_in_hash_order(&mut entries, |entry| &entry.key.name);
        for entry in &mut entries {
            entry.key.name.insert_str(0, &prefix);
        }
        Some(ConverterSection { groups, entries })
    });
    sections.collect()
}
