//! The plug-ins of this crate, under the class names that existing configurations use.

use volley_api::Plugin;

use crate::{cast, debezium, field, headers, insert_field, predicates, routers, timestamp, whole};

/// All transformations and predicates of this crate.
pub fn plugins() -> Vec<Plugin> {
    let pairs = [insert_field::plugins(), cast::plugins(), timestamp::plugins()];
    let mut all: Vec<Plugin> = pairs.into_iter().flatten().collect();
    all.extend(field::plugins());
    all.extend(whole::plugins());
    all.extend(headers::plugins());
    all.extend(routers::plugins());
    all.extend(predicates::plugins());
    all.extend(debezium::plugins());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::PluginKind;

    #[test]
    fn plugins_have_the_names_that_existing_configs_use() {
        let plugins = plugins();
        let named = |name: &str, kind| {
            let class = format!("org.apache.kafka.connect.transforms.{name}");
            plugins.iter().any(|plugin| plugin.class == class && plugin.kind() == kind)
        };
        let sided = "Cast ExtractField Flatten HeaderFrom HoistField InsertField MaskField ReplaceField SetSchemaMetadata \
                     TimestampConverter";
        for name in sided.split(' ') {
            for side in ["Key", "Value"] {
                assert!(named(&format!("{name}${side}"), PluginKind::Transformation), "{name}${side}");
            }
        }
        for name in "DropHeaders Filter InsertHeader RegexRouter TimestampRouter ValueToKey".split(' ') {
            assert!(named(name, PluginKind::Transformation), "{name}");
        }
        for name in "TopicNameMatches HasHeaderKey RecordIsTombstone".split(' ') {
            assert!(named(&format!("predicates.{name}"), PluginKind::Predicate), "{name}");
        }
        let kafka = plugins.iter().filter(|plugin| plugin.class.starts_with("org.apache.kafka."));
        assert_eq!(kafka.count(), 29);
    }
}
