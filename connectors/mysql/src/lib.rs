//! MySQL and MariaDB for the JDBC connectors: a driver that reads what a prepared statement answers, row by row into
//! columns, and writes them by prepared statements of many rows.
//!
//! ```text
//!  URL, parameters ─ parameters ─► mysql_async ─ execute ─► column_plan ─ rows ─► rows: RowDecoder ─► RecordBatch
//! ```

mod address;
mod catalog;
mod column_plan;
mod connection;
mod driver;
mod literal;
mod open_connection;
mod parameters;
mod rows;
mod server_error;
mod tls;
mod value_type;
mod write;

pub use driver::MySql;
