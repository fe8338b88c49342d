//! The plug-ins of this room.

use volley_api::Plugin;

use super::{drop, extract_topic, filter, message_timestamp_router, null_filter, replace_field, tombstone_handler};

pub(crate) fn plugins() -> Vec<Plugin> {
    let pairs = [filter::plugins(), drop::plugins(), replace_field::plugins()];
    let single = [message_timestamp_router::plugin(), null_filter::plugin(), tombstone_handler::plugin()];
    pairs.into_iter().flatten().chain(extract_topic::plugins()).chain(single).collect()
}
