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
//! What a query may say and what its columns are stands with [`Sql`].

mod absent_fields;
mod bad_rows;
mod batch_exec;
mod batch_query;
mod clock_functions;
mod connect_types;
mod deep_stack;
mod expression_rules;
mod field_access;
mod function_names;
mod header_text;
mod lookup_table;
mod named_fields;
mod output;
mod output_layout;
mod plan_error;
mod plan_reset;
mod plans;
mod plugins;
mod position;
mod query_plan;
mod reason;
mod records_table;
mod row_number;
mod select_list;
mod session;
mod sql;
mod statement;
mod statement_rules;
mod wait_for;

pub use batch_query::query_batches;
pub use plugins::plugins;
pub use position::{Position, Refusal};
pub use sql::Sql;
