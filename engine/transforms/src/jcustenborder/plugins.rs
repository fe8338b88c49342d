//! The plug-ins of this room.

use volley_api::Plugin;

use super::fields::{
    bytes_to_string, extract_nested_field, header_to_field, pattern_map_string, timestamp_now_field, to_json, to_long,
    topic_name_to_field,
};
use super::names::{change_case, pattern_rename};
use super::topics::{
    change_topic_case, debug, extract_timestamp, lower_case_topic, pattern_filter, schema_name_to_topic, set_null,
    timestamp_now,
};

pub(crate) fn plugins() -> Vec<Plugin> {
    let pairs = [
        bytes_to_string::plugins(),
        change_case::plugins(),
        extract_nested_field::plugins(),
        extract_timestamp::plugins(),
        header_to_field::plugins(),
        pattern_filter::plugins(),
        pattern_map_string::plugins(),
        pattern_rename::plugins(),
        schema_name_to_topic::plugins(),
        set_null::plugins(),
        timestamp_now_field::plugins(),
        to_json::plugins(),
        to_long::plugins(),
        topic_name_to_field::plugins(),
    ];
    let single = [change_topic_case::plugin(), debug::plugin(), lower_case_topic::plugin(), timestamp_now::plugin()];
    pairs.into_iter().flatten().chain(single).collect()
}
