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

mod columns;
#[cfg(test)]
mod conformance_tests;
mod insert_field;
mod plugins;
mod predicates;
mod routers;

pub use insert_field::InsertField;
pub use plugins::plugins;
pub use predicates::{HasHeaderKey, RecordIsTombstone, TopicNameMatches};
pub use routers::{Filter, RegexRouter};
