//! The text of a query: parsed, and refused with a position if a transformation cannot execute it row by row.
//!
//! ```text
//!  text ─ parse ─ user_functions ─► statement_rules, expression_rules ─► select_list, field_access ─► RowwiseQuery
//!                                        └─► Refusal (Position, reason, alternative)
//! ```
//!
//! All errors that do not depend on records are reported when the transformation is configured. A `RowwiseQuery` also
//! has the fields that the query names, so that they can be added to records without them.

mod expression_rules;
mod field_access;
mod function_names;
mod named_fields;
mod position;
mod select_list;
mod statement;
mod statement_rules;
mod user_function;
mod user_functions;

pub(crate) use function_names::{FunctionKind, kind_of};
pub(crate) use named_fields::{NamedFields, completed};
pub use position::{Position, Refusal};
pub(crate) use select_list::named_by_its_text;
pub(crate) use statement::{RECORDS, RowwiseQuery, Tokens, parse_query};
pub(crate) use user_functions::UserFunctions;
