//! Connect's single message transforms and predicates, on columns.
//!
//! | name | what it does |
//! |---|---|
//! | [`RegexRouter`] | renames the topic |
//! | [`Filter`] | drops every record it is applied to; meant for a predicate |
//! | [`TopicNameMatches`], [`HasHeaderKey`], [`RecordIsTombstone`] | predicates |
//!
//! A `Records` has one topic, so that RegexRouter and TopicNameMatches cost one match a batch, whatever its size.

mod filter;
mod has_header_key;
mod java_replacement;
mod plugins;
mod record_is_tombstone;
mod regex_router;
#[cfg(test)]
mod sample_records;
mod topic_name_matches;

pub use filter::Filter;
pub use has_header_key::HasHeaderKey;
pub use plugins::plugins;
pub use record_is_tombstone::RecordIsTombstone;
pub use regex_router::RegexRouter;
pub use topic_name_matches::TopicNameMatches;
