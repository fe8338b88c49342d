//! Resets a plan for its next execution.
//!
//! Operators keep state from their rows: a join that is executed twice returns the rows of the first batch. All state
//! is reset, except the hash tables of lookup tables, which are the same for every batch.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::error::Result;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::{ExecutionPlan, execution_plan::reset_plan_states};

use super::batch_exec::BatchExec;

/// A copy of `plan` for one execution.
pub(crate) fn ready_to_execute(plan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if !reads_batch(plan) {
        return reset_plan_states(Arc::clone(plan));
    }
    let keep = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
    if let Some(join) = plan.downcast_ref::<HashJoinExec>()
        && keeps_its_table(join)
    {
        let children = vec![Arc::clone(join.left()), ready_to_execute(join.right())?];
        return Arc::clone(plan).replace_children(children, keep);
    }
    let children = plan.children().into_iter().map(ready_to_execute).collect::<Result<Vec<_>>>()?;
    let plan = match children.is_empty() {
        true => Arc::clone(plan),
        false => Arc::clone(plan).replace_children(children, keep)?,
    };
    plan.reset_state()
}

/// Whether a join only reads its hash table: it is built from a lookup table, and the join marks no matches in it.
fn keeps_its_table(join: &HashJoinExec) -> bool {
    use JoinType::{Inner, Right, RightAnti, RightMark, RightSemi};
    join.partition_mode() == &PartitionMode::CollectLeft
        && matches!(join.join_type(), Inner | Right | RightSemi | RightAnti | RightMark)
        && !reads_batch(join.left())
}

fn reads_batch(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.downcast_ref::<BatchExec>().is_some() || plan.children().into_iter().any(reads_batch)
}
