//! The plug-ins of this crate, under the class names that existing configurations use.

use volley_api::Plugin;

use crate::{filter, has_header_key, insert_field, record_is_tombstone, regex_router, topic_name_matches};

/// All transformations and predicates of this crate.
pub fn plugins() -> Vec<Plugin> {
    let [insert_key, insert_value] = insert_field::plugins();
    vec![
        insert_key,
        insert_value,
        regex_router::plugin(),
        filter::plugin(),
        topic_name_matches::plugin(),
        has_header_key::plugin(),
        record_is_tombstone::plugin(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use volley_api::PluginKind;

    #[test]
    fn plugins_have_the_names_that_existing_configs_use() {
        let plugins = plugins();
        let named: Vec<_> = plugins.iter().map(|plugin| (&*plugin.class, plugin.kind())).collect();
        assert_eq!(
            named,
            [
                ("org.apache.kafka.connect.transforms.InsertField$Key", PluginKind::Transformation),
                ("org.apache.kafka.connect.transforms.InsertField$Value", PluginKind::Transformation),
                ("org.apache.kafka.connect.transforms.RegexRouter", PluginKind::Transformation),
                ("org.apache.kafka.connect.transforms.Filter", PluginKind::Transformation),
                ("org.apache.kafka.connect.transforms.predicates.TopicNameMatches", PluginKind::Predicate),
                ("org.apache.kafka.connect.transforms.predicates.HasHeaderKey", PluginKind::Predicate),
                ("org.apache.kafka.connect.transforms.predicates.RecordIsTombstone", PluginKind::Predicate),
            ]
        );
    }
}
