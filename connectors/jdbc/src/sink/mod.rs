//! Topics into tables: Confluent's, Aiven's and Debezium's `JdbcSinkConnector`.
//!
//! ```text
//!  SinkBatch ─ records of one schema ─ record_plan ─► columns ─ row_changes ─► upserts, removals ─┐
//!      table_names ─► table ─ table_shapes: CREATE, ALTER                                         ▼
//!                     BEGIN ─ stored_offsets ─────────────────────────────── Writer::write … ─ COMMIT
//!                                                     halving ─► rejected rows ◄─┘
//! ```
//!
//! A batch is one transaction: either all of its rows are there when `put` returns, but those that are rejected, or
//! nothing is and the batch is put again.

mod change_events;
mod column_values;
mod config;
mod config_keys;
mod connector;
mod debezium_config;
mod default_value;
mod delivery;
#[cfg(test)]
mod delivery_tests;
mod halving;
mod json_text;
mod last_rows;
mod record_plan;
mod retries;
mod row_changes;
mod stored_offsets;
mod table_names;
mod table_shapes;
mod task;

pub(crate) use connector::sink_plugins;
