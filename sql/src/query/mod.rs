//! The text of a query: parsed, and refused with a position where it is not what a transformation can do row by row.
//!
//! ```text
//!  text ─ field_access ─ parse ─► statement_rules, expression_rules ─► select_list ─► RowwiseQuery
//!                                        └─► Refusal (Position, reason, what to write instead)
//! ```
//!
//! All that can be said without records is said here, when the transformation is configured. A `RowwiseQuery` also knows which
//! fields the query names, so that records that lack some of them can be given them.

mod expression_rules;
mod field_access;
mod function_names;
mod named_fields;
mod position;
mod select_list;
mod statement;
mod statement_rules;

pub(crate) use named_fields::{NamedFields, completed};
pub use position::{Position, Refusal};
pub(crate) use statement::{RECORDS, RowwiseQuery};
