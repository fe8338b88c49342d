//! Connect's single message transforms and predicates, on columns.
//!
//! | name | what it does |
//! |---|---|
//! | [`ExtractField`], [`ReplaceField`], [`MaskField`], [`ValueToKey`] | choose, rename and hide fields |
//! | [`InsertField`] | adds topic, partition, offset, timestamp or a constant to keys or values |
//! | [`Cast`], [`TimestampConverter`] | give fields another type |
//! | [`Flatten`], [`HoistField`], [`SetSchemaMetadata`] | change the shape of the whole, or its schema |
//! | [`HeaderFrom`], [`InsertHeader`], [`DropHeaders`] | change headers |
//! | [`RegexRouter`], [`TimestampRouter`] | rename the topic |
//! | [`Filter`] | drops every record it is applied to; meant for a predicate |
//! | [`ExtractNewRecordState`] | Debezium's: the state of the row in place of a change event |
//! | [`ByLogicalTableRouter`] | Debezium's: the events of several tables as those of one |
//! | [`EventRouter`] | Debezium's: messages of what is inserted into an outbox table |
//! | [`ExtractChangedRecordState`], [`HeaderToValue`] | Debezium's: headers of what has changed, and headers as fields |
//! | [`TimezoneConverter`] | Debezium's: times in another time zone |
//! | `confluent/`, `aiven/`, `jcustenborder/` | those of other makers, by their class names |
//! | [`TopicNameMatches`], [`HasHeaderKey`], [`RecordIsTombstone`] | predicates |
//!
//! A `Records` has one topic, so that RegexRouter and TopicNameMatches cost one match a batch, whatever its size. What works on
//! keys and values is a function on a column: see `columns/`.

mod aiven;
mod cast;
mod clock;
mod columns;
mod confluent;
#[cfg(test)]
mod conformance_tests;
mod date_format;
mod debezium;
mod field;
mod headers;
mod insert_field;
mod java_digit;
mod jcustenborder;
#[cfg(test)]
mod laws;
mod plugins;
mod predicates;
#[cfg(test)]
mod reference;
mod routers;
#[cfg(test)]
mod test_records;
mod timestamp;
mod tombstones;
mod whole;

pub use cast::Cast;
pub use debezium::{
    ByLogicalTableRouter, EventRouter, ExtractChangedRecordState, ExtractNewRecordState, HeaderToValue,
    TimezoneConverter,
};
pub use field::{ExtractField, MaskField, ReplaceField, ValueToKey};
pub use headers::{DropHeaders, HeaderFrom, InsertHeader};
pub use insert_field::InsertField;
pub use plugins::plugins;
pub use predicates::{HasHeaderKey, RecordIsTombstone, TopicNameMatches};
pub use routers::{Filter, RegexRouter, TimestampRouter};
pub use timestamp::TimestampConverter;
pub use whole::{Flatten, HoistField, SetSchemaMetadata};
