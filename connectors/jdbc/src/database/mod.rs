//! What all databases have in common, as the connectors see it. A crate for each system implements it.
//!
//! ```text
//!  Driver ── connect ──► Connection ─┬─ Catalog: tables, columns
//!                                    ├─ current_time
//!                                    └─ query, then next … next ──► RecordBatch, RecordBatch, … End
//! ```

mod connection;
mod driver;
mod result_column;
mod table_column;
mod table_id;
mod timestamp;

pub use connection::{Catalog, Connection, Fetched, Isolation, Query, TableSearch};
pub use driver::{Driver, find_driver};
pub use result_column::{Number, ResultColumn};
pub use table_column::TableColumn;
pub use table_id::TableId;
pub(crate) use table_id::{quoted, split_outside};
pub use timestamp::Timestamp;
