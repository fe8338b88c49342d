//! Tables and queries into topics: Confluent's and Aiven's `JdbcSourceConnector`.
//!
//! ```text
//!  TableMonitor ─ tables ─► task configurations (task_tables)
//!
//!  JdbcSourceTask ─ the Reader that is due ─ Statement ─► Connection ─ rows ─► OpenResult ─► records and their offset
//!                       ▲                                                          │
//!                       └───────────────────────── Position ◄──────────────────────┘
//! ```
//!
//! Source partitions and offsets are those of Java's connector: `stored_offset.rs`. A large table may be read by ranges
//! of its keys: `splits/`.

mod access;
mod config;
mod connector;
mod late;
mod mode_columns;
mod new_rows;
mod open_result;
mod progress;
mod reader;
mod splits;
mod statement;
mod stored_offset;
mod table_monitor;
mod table_reader;
mod table_selection;
mod task;
mod task_tables;
#[cfg(test)]
mod test_driver;

pub(crate) use connector::source_plugins;
