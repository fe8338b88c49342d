//! Other topics and times, and records that are left out.

pub(super) mod change_topic_case;
pub(super) mod debug;
pub(super) mod extract_timestamp;
pub(super) mod lower_case_topic;
pub(super) mod pattern_filter;
pub(super) mod schema_name_to_topic;
pub(super) mod set_null;
pub(super) mod timestamp_now;
