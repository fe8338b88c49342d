//! The plug-ins of this crate, under the class names that existing configurations use.

use volley_api::Plugin;

use crate::{insert_field, predicates, routers};

/// All transformations and predicates of this crate.
pub fn plugins() -> Vec<Plugin> {
    let all = insert_field::plugins().into_iter().chain(routers::plugins()).chain(predicates::plugins());
    all.collect()
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
