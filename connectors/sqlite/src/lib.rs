//! SQLite for the JDBC connectors: a driver that reads a file, on a thread of its own, row by row into columns.
//!
//! ```text
//!  URL, parameters ─ parameters ─► SqliteConnection ── commands ──► file_thread: rusqlite ─ rows ─► columns
//!                                        ▲                                                            │
//!                                        └──────────────────────── RecordBatch ◄──────────────────────┘
//! ```

mod catalog;
mod column_builder;
mod column_type;
mod connection;
mod driver;
mod file_thread;
mod parameters;
mod points_in_time;
mod sqlite_error;
mod time_form;
mod writer;

pub use driver::Sqlite;
