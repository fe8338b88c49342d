//! Connect's single message transforms and predicates, on columns.
//!
//! | name | what it does |
//! |---|---|
//! | [`RegexRouter`] | renames the topic |
//! | [`InsertField`] | adds topic, partition, offset, timestamp or a constant to keys or values |
//! | [`Filter`] | drops every record it is applied to; meant for a predicate |
//! | [`TopicNameMatches`], [`HasHeaderKey`], [`RecordIsTombstone`] | predicates |
//!
//! A `Records` has one topic, so that RegexRouter and TopicNameMatches cost one match a batch, whatever its size.

#[cfg(test)]
mod conformance_tests;
mod default_value;
mod field_insertion;
mod filter;
mod has_header_key;
mod insert_field;
#[cfg(test)]
mod insert_field_tests;
mod plugins;
mod record_is_tombstone;
mod regex_router;
mod rejection;
mod struct_insertion;
mod text_insertion;
mod topic_name_matches;

pub use filter::Filter;
pub use has_header_key::HasHeaderKey;
pub use insert_field::InsertField;
pub use plugins::plugins;
pub use record_is_tombstone::RecordIsTombstone;
pub use regex_router::RegexRouter;
pub use topic_name_matches::TopicNameMatches;
