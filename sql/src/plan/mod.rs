//! Plans of a query: made once for each schema of the records, executed again for each batch.
//!
//! ```text
//!  RowwiseQuery + types of key and value ─ Plans ─► QueryPlan ─ plan_reset ─► execute
//!                                                     ▲                          │
//!  a batch ─ BatchExec, the leaf ─────────────────────┘                          ▼
//!                         row number rides along ────────────► output ─► Records, by topic
//! ```
//!
//! The hidden row number goes through every node, so that each row of a result says which row of the input it came from. What
//! a column of the result becomes (field, key, topic, timestamp) is settled when the plan is made (`output_layout`).

mod batch_exec;
mod clock_functions;
mod connect_types;
mod output;
mod output_layout;
mod plan_error;
mod plan_reset;
mod plans;
mod query_plan;
mod row_number;
mod session;

pub(crate) use clock_functions::clock_functions;
pub(crate) use output::to_records;
pub(crate) use output_layout::Role;
pub(crate) use plans::{PlanFailure, Plans};
pub(crate) use query_plan::{QueryPlan, may_be_a_bad_row};
pub(crate) use session::new_session;
