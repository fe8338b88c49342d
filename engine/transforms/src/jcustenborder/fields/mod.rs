//! Fields of structs with other values or types, and whole structs as JSON.

pub(super) mod bytes_to_string;
pub(super) mod extract_nested_field;
mod header_conversion;
pub(super) mod header_to_field;
pub(super) mod pattern_map_string;
pub(super) mod timestamp_now_field;
pub(super) mod to_json;
pub(super) mod to_long;
pub(super) mod topic_name_to_field;
