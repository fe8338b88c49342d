//! The plug-ins of this crate, under the class names that existing configurations use.

use volley_api::Plugin;

use crate::field::{extract_field, mask_field, replace_field, value_to_key};
use crate::headers::{drop_headers, header_from, insert_header};
use crate::predicates::{has_header_key, record_is_tombstone, topic_name_matches};
use crate::routers::{filter, regex_router, timestamp_router};
use crate::whole::{flatten, hoist_field, set_schema_metadata};
use crate::{aiven, cast, confluent, debezium, insert_field, jcustenborder, timestamp};

/// All transformations and predicates of this crate.
pub fn plugins() -> Vec<Plugin> {
    let pairs = [
        insert_field::plugins(),
        cast::plugins(),
        timestamp::plugins(),
        extract_field::plugins(),
        replace_field::plugins(),
        mask_field::plugins(),
        set_schema_metadata::plugins(),
        flatten::plugins(),
        hoist_field::plugins(),
        header_from::plugins(),
    ];
    let single = [
        value_to_key::plugin(),
        insert_header::plugin(),
        drop_headers::plugin(),
        regex_router::plugin(),
        timestamp_router::plugin(),
        filter::plugin(),
        topic_name_matches::plugin(),
        has_header_key::plugin(),
        record_is_tombstone::plugin(),
    ];
    let of_others = [debezium::plugins(), confluent::plugins(), aiven::plugins(), jcustenborder::plugins()];
    pairs.into_iter().flatten().chain(single).chain(of_others.into_iter().flatten()).collect()
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
