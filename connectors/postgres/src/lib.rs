//! PostgreSQL for the JDBC connectors: a driver that reads what a query answers as binary COPY, straight into columns, and
//! writes columns the same way.
//!
//! ```text
//!  URL, parameters ─ parameters ─► tokio-postgres ─ prepare ─► column_plan ─► COPY (…) TO STDOUT (FORMAT binary)
//!                                                                                   │
//!                                             RecordBatch ◄── copy: CopyDecoder ◄───┘
//! ```

mod catalog;
mod column_plan;
mod connection;
mod copy;
mod driver;
mod literal;
mod open_connection;
mod parameters;
mod server_error;
mod tls;
mod value_type;
mod write;

pub use driver::Postgres;
