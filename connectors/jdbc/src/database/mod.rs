//! What all databases have in common, as the connectors see it. A crate for each system implements it.
//!
//! ```text
//!  Driver ── connect ──► Connection ─┬─ Catalog: tables, columns
//!                                    ├─ current_time
//!                                    └─ query, then next … next ──► RecordBatch, RecordBatch, … End
//!         ─ connect_writer ─► Writer ─┬─ target: the table that is written to
//!                                     └─ execute BEGIN, write … write, execute COMMIT
//! ```

mod cell;
mod connection;
mod driver;
mod key_kind;
mod open_transactions;
mod result_column;
mod table_column;
mod table_id;
mod timestamp;
mod writer;

pub use cell::{Cell, shown_at, shown_in};
pub use connection::{Catalog, Connection, Fetched, Isolation, Query, TableSearch};
pub use driver::{Driver, find_driver};
pub use key_kind::KeyKind;
pub use open_transactions::OpenTransactions;
pub use result_column::{Number, ResultColumn};
pub use table_column::TableColumn;
pub(crate) use table_id::split_outside;
pub use table_id::{TableId, quoted};
pub use timestamp::Timestamp;
pub use writer::{TableWrite, TargetColumn, TargetTable, WriteColumn, WriteKind, Writer};
