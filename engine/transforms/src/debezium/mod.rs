//! Debezium's transformations: what they make of its change events, on columns.
//!
//! ```text
//!  {"before": …, "after": …, "source": …, "op": "u"}  ─►  one struct column, whose fields `before` and `after` are columns, too
//! ```
//!
//! A change event is a struct whose schema's name ends with `.Envelope`; all else passes as it is, also what has no schema.
//! Debezium's own types (`io.debezium.time.*`, `VariableScaleDecimal` and so on) keep their schemas.

#[cfg(test)]
mod conformance_tests;
mod documents;
mod envelope;
mod event_headers;
mod events;
mod extract_changed_record_state;
mod field_reference;
mod header_to_value;
mod logical_table;
mod new_record_state;
mod outbox;
mod plugins;
mod rewriting;
mod scripted;
mod timezone;
mod topics;

pub use extract_changed_record_state::ExtractChangedRecordState;
pub use header_to_value::HeaderToValue;
pub use logical_table::ByLogicalTableRouter;
pub use new_record_state::ExtractNewRecordState;
pub use outbox::EventRouter;
pub(crate) use plugins::plugins;
pub use timezone::TimezoneConverter;
