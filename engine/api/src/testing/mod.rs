//! A test kit for authors of plug-ins, behind the feature `testing`.
//!
//! Builders make configurations, columns, records and batches in a line each; fields that matter to a test are set by struct
//! update. Conformance suites state what the worker relies on, one law each, and panic where a plug-in breaks it:
//!
//! | plug-in | suite |
//! |---|---|
//! | source | [`resumes_from_every_offset`] |
//! | sink | [`commits_only_what_is_durable`] |
//! | converter | [`round_trips`], [`rejects_only_bad_messages`] |
//! | transformation | [`keeps_filters_or_rejects_every_row`] |
//!
//! ```
//! use volley_api::Records;
//! use volley_api::testing::{config_map, records, texts};
//!
//! let config = config_map(&[("topic", "lines")]);
//! let lines = Records { kafka_partition: Some(3), ..records("lines", texts(["a", "b"])) };
//! assert_eq!((config["topic"].as_str(), lines.len()), ("lines", 2));
//! ```
// A suite panics where a law is broken: that is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod batches;
mod columns;
mod configs;
mod converter_suite;
mod plugin_list;
mod row_text;
mod sink_suite;
mod source_suite;
mod transformation_suite;

pub use batches::{consumed, origin, raw_batch, records, sink_batch, sink_batch_of};
pub use columns::{column, texts};
pub use configs::{config_map, json_object, source_context};
pub use converter_suite::{rejects_only_bad_messages, round_trips};
pub use plugin_list::plugins_of;
pub use row_text::{row_text, row_texts};
pub use sink_suite::{SinkUnderTest, commits_only_what_is_durable};
pub use source_suite::resumes_from_every_offset;
pub use transformation_suite::keeps_filters_or_rejects_every_row;
