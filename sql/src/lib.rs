//! SQL as a transformation, and bounded SQL over batches. The only crate that names DataFusion.
//!
//! ```text
//! transforms=sql
//! transforms.sql.type=Sql
//! transforms.sql.query=SELECT user, amount * 100 AS cents FROM records WHERE ok
//! ```
//!
//! ```text
//!  query ─ statement (parsed, refused with a position) ─ plans: query_plan (one per input schema)
//!                                                           │
//!  Records ─ records_table (columns) ─► batch_exec ─► plan ─┴─► output ─► Records, by topic
//!                                          row number rides along ──────────▲
//! ```
//!
//! [`Sql`] describes the supported queries and their columns.

mod absent_fields;
mod bad_rows;
mod batch_query;
mod bounded;
mod deep_stack;
mod functions;
mod header_text;
mod lookup;
mod plan;
mod plugins;
mod query;
mod reason;
mod records_table;
mod row_columns;
mod sql;
mod sql_config;
mod wait_for;

pub use batch_query::query_batches;
pub use bounded::{SqlQueries, works_row_by_row};
pub use plugins::plugins;
pub use query::{Position, Refusal};
pub use sql::Sql;
