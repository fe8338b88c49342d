//! Plans of a query: created once for each schema of the records, executed for each batch.
//!
//! ```text
//!  RowwiseQuery + types of key and value ─ Plans ─► QueryPlan ─ plan_reset ─► execute
//!                                                     ▲                          │
//!  a batch ─ BatchExec, the leaf ─────────────────────┘                          ▼
//!                         row number rides along ────────────► output ─► Records, by topic
//! ```
//!
//! Every node of a plan passes on the hidden row number, so that each row of a result has the number of its input row.
//! The use of each result column (field, key, topic, timestamp) is decided when the plan is created (`output_layout`).

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
pub(crate) use connect_types::connect_type;
pub(crate) use output::to_records;
pub(crate) use output_layout::Role;
pub(crate) use plan_error::plan_error;
pub(crate) use plans::{PlanFailure, Plans};
pub(crate) use query_plan::{QueryPlan, may_be_a_bad_row, types_of_absent_fields};
pub(crate) use session::{new_session, session_config};
