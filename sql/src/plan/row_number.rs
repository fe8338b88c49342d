//! Passes the hidden row number through a planned query, so that each row of the result has the number of its input
//! row.
//!
//! It is added to a finished plan, not to the user's text, since `SELECT *` would include it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, Result, TableReference, plan_err};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, TableSource};

use crate::query::RECORDS;
use crate::records_table::ROW_NUMBER;

/// The same plan over `source`, which has the row number, too. The row number is the last column of the result.
///
/// # Errors
/// If a node of the plan is not row-wise.
pub(crate) fn carry_row_number(
    plan: LogicalPlan,
    source: &Arc<dyn TableSource>,
    records_name: &str,
) -> Result<LogicalPlan> {
    plan.transform_up(|node| carry(node, source, records_name)).data()
}

fn carry(node: LogicalPlan, source: &Arc<dyn TableSource>, records_name: &str) -> Result<Transformed<LogicalPlan>> {
    let carried = match node {
        LogicalPlan::TableScan(scan) if scan.table_name.table() == RECORDS => {
            LogicalPlanBuilder::scan(scan.table_name, Arc::clone(source), None)?.build()?
        }
        LogicalPlan::Projection(projection) => {
            let mut expressions = projection.expr;
            expressions.extend(row_number_of(projection.input.schema(), records_name).map(Expr::Column));
            LogicalPlan::Projection(Projection::try_new(expressions, projection.input)?)
        }
        LogicalPlan::TableScan(_) | LogicalPlan::EmptyRelation(_) => node,
        LogicalPlan::Filter(_) | LogicalPlan::Join(_) | LogicalPlan::SubqueryAlias(_) | LogicalPlan::Unnest(_) => {
            node.recompute_schema()?
        }
        other => return plan_err!("this query is not row-wise: {}", other.display()),
    };
    Ok(Transformed::yes(carried))
}

/// The row number among the columns of a plan with this name for `records`.
pub(crate) fn row_number_of(schema: &DFSchema, records_name: &str) -> Option<Column> {
    let of_records = |table: Option<&TableReference>| table.is_some_and(|table| table.table() == records_name);
    let found = schema.iter().find(|(table, field)| field.name() == ROW_NUMBER && of_records(*table));
    found.map(Column::from)
}
