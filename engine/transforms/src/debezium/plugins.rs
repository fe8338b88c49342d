//! The plug-ins of this room.

use volley_api::{Plugin, PluginFactory};

use super::documents::ExtractNewDocumentState;
use super::{
    ByLogicalTableRouter, EventRouter, ExtractChangedRecordState, ExtractNewRecordState, HeaderToValue,
    TimezoneConverter, scripted,
};

/// The Debezium release whose classes these behave like.
const DEBEZIUM_VERSION: &str = "3.4.0.Final";

/// All of this room.
pub(crate) fn plugins() -> Vec<Plugin> {
    built().into_iter().chain(scripted::plugins(DEBEZIUM_VERSION)).collect()
}

fn built() -> Vec<Plugin> {
    vec![
        Plugin::new(
            "io.debezium.transforms.ExtractNewRecordState",
            DEBEZIUM_VERSION,
            "Replaces Debezium's change events by the new state of the row.",
            ExtractNewRecordState::config_def(),
            PluginFactory::transformation(ExtractNewRecordState::new),
        )
        .alias("io.debezium.transforms.UnwrapFromEnvelope"),
        Plugin::new(
            "io.debezium.connector.mongodb.transforms.ExtractNewDocumentState",
            DEBEZIUM_VERSION,
            "Replaces change events of MongoDB by the new state of the document.",
            ExtractNewDocumentState::config_def(),
            PluginFactory::transformation(ExtractNewDocumentState::new),
        ),
        Plugin::new(
            "io.debezium.transforms.ByLogicalTableRouter",
            DEBEZIUM_VERSION,
            "Brings the events of tables that are parts of one into one topic.",
            ByLogicalTableRouter::config_def(),
            PluginFactory::transformation(ByLogicalTableRouter::new),
        ),
        Plugin::new(
            "io.debezium.transforms.outbox.EventRouter",
            DEBEZIUM_VERSION,
            "Makes messages of what is inserted into an outbox table.",
            EventRouter::config_def(),
            PluginFactory::transformation(EventRouter::new),
        ),
        Plugin::new(
            "io.debezium.transforms.ExtractChangedRecordState",
            DEBEZIUM_VERSION,
            "Adds headers that tell which fields an update has changed.",
            ExtractChangedRecordState::config_def(),
            PluginFactory::transformation(ExtractChangedRecordState::new),
        ),
        Plugin::new(
            "io.debezium.transforms.HeaderToValue",
            DEBEZIUM_VERSION,
            "Copies or moves headers into fields of the value.",
            HeaderToValue::config_def(),
            PluginFactory::transformation(HeaderToValue::new),
        ),
        Plugin::new(
            "io.debezium.transforms.TimezoneConverter",
            DEBEZIUM_VERSION,
            "Converts the times of change events to another time zone.",
            TimezoneConverter::config_def(),
            PluginFactory::transformation(TimezoneConverter::new),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of ours that Debezium does not list: those of older releases, and those that it reads all the same.
    const UNLISTED: [&str; 5] = [
        "delete.handling.mode",
        "drop.tombstones",
        "key.field.name",
        "replace.null.with.default",
        "schema.name.adjustment.mode",
    ];

    #[test]
    fn keys_are_those_of_java() {
        let java: Vec<&str> = include_str!("testdata/keys.tsv").lines().collect();
        let mut ours: Vec<String> = Vec::new();
        for plugin in built() {
            for key in plugin.config_def.keys().iter().filter(|key| !UNLISTED.contains(&key.name.as_str())) {
                let default = key.default_value().unwrap_or("null");
                ours.push(format!(
                    "{}\t{}\t{}\t{default}\t{}",
                    plugin.class, key.name, key.config_type, key.importance
                ));
            }
        }
        let missing: Vec<&&str> = java.iter().filter(|key| !ours.iter().any(|known| known == *key)).collect();
        assert!(missing.is_empty(), "{missing:#?}\n{ours:#?}");
        assert_eq!(ours.len(), java.len());
    }

    #[test]
    fn the_name_of_old_times_is_known() {
        let named =
            |plugin: &Plugin| plugin.aliases.iter().any(|name| name == "io.debezium.transforms.UnwrapFromEnvelope");
        assert_eq!(plugins().iter().filter(|plugin| named(plugin)).count(), 1);
    }
}
