//! The plug-ins of this room.

use volley_api::{ConfigDef, ConfigMap, Plugin, Result, Side, Transformation};

use super::places::AIVEN_VERSION;
use super::{
    case_transform, concat_fields, extract_timestamp, extract_topic, extract_topic_from_schema_name,
    filter_by_field_value, hash, key_to_value, make_tombstone, tombstone_handler,
};
use crate::columns::versioned_pair;

/// The plug-ins of a transformation that has one class for each side.
pub(super) fn pair<T: Transformation + 'static>(
    classes: [&'static str; 2],
    what: &str,
    config_def: fn() -> ConfigDef,
    new: fn(&ConfigMap, Side) -> Result<T>,
) -> [Plugin; 2] {
    versioned_pair(AIVEN_VERSION, classes, what, config_def, new)
}

pub(crate) fn plugins() -> Vec<Plugin> {
    let pairs = [
        case_transform::plugins(),
        concat_fields::plugins(),
        extract_timestamp::plugins(),
        extract_topic::plugins(),
        filter_by_field_value::plugins(),
        hash::plugins(),
    ];
    let single = [
        extract_topic_from_schema_name::plugin(),
        key_to_value::plugin(),
        make_tombstone::plugin(),
        tombstone_handler::plugin(),
    ];
    pairs.into_iter().flatten().chain(single).collect()
}
