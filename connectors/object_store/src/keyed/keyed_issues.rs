//! What does not go with a file for each key.

use volley_api::{Config, ConfigIssue};

use super::keyed_template::KeyedTemplate;
use crate::format::{NAME_TEMPLATE, compatibility};
use crate::layout::PartitionerConfig;

/// What is wrong with keys beside a template with `{{key}}`. Single keys have been checked.
pub(crate) fn keyed_issues(config: &Config) -> Vec<ConfigIssue> {
    let template = config.string(NAME_TEMPLATE).unwrap_or_default();
    if !matches!(KeyedTemplate::parse(template), Ok(Some(_))) {
        return Vec::new();
    }
    let is_one_directory = matches!(PartitionerConfig::from_config(config), Ok(PartitionerConfig::Default));
    let excluded = [
        ("partitioner.class", !is_one_directory),
        ("store.kafka.keys", config.boolean("store.kafka.keys")),
        ("store.kafka.headers", config.boolean("store.kafka.headers")),
        ("file.offset.tags", config.boolean("file.offset.tags")),
        ("schema.compatibility", compatibility(config).needs_versions()),
    ];
    let excluded = excluded.into_iter().filter(|(_, is_given)| *is_given);
    let message =
        |key: &str| format!("`{key}` does not go with `{{{{key}}}}` in `{NAME_TEMPLATE}`: leave one of them out");
    excluded.map(|(key, _)| ConfigIssue::new(key, message(key))).collect()
}
