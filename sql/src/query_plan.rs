//! A query, planned for records of one key and value type, and executed for one batch after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::FieldRef;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as PlannerStatement;
use datafusion::sql::sqlparser::ast::Statement;
use futures::executor::block_on;
use volley_api::Records;

use crate::batch_exec::{BatchExec, BatchSlot, BatchTable};
use crate::output_layout::{OutputLayout, shape_outputs};
use crate::records_table::RecordsTable;
use crate::row_number::carry_row_number;
use crate::statement::{RECORDS, RowwiseQuery};

/// See the module's description.
#[derive(Debug)]
pub(crate) struct QueryPlan {
    table: RecordsTable,
    /// Columns of the table that the plan reads; `None` if it reads no table, since it can give no row.
    projection: Option<Vec<usize>>,
    slot: BatchSlot,
    /// Never executed itself: operators keep what they learned from their rows.
    physical: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    layout: OutputLayout,
}

impl QueryPlan {
    /// Plans `query` for records like these. Recurses along the query.
    pub(crate) fn new(session: &SessionContext, query: &RowwiseQuery, records: &Records) -> Result<Self> {
        let table = RecordsTable::new(&records.key.field, &records.value.field);
        let slot = BatchSlot::default();
        let visible = BatchTable::new(table.visible_schema(), slot.clone());
        let complete = BatchTable::new(Arc::clone(table.schema()), slot.clone());
        session.deregister_table(RECORDS)?;
        session.register_table(RECORDS, Arc::new(visible))?;
        let state = session.state();
        let statement = Box::new(Statement::Query(Box::new(query.query.clone())));
        let logical = block_on(state.statement_to_plan(PlannerStatement::Statement(statement)))?;
        let logical = carry_row_number(logical, &provider_as_source(Arc::new(complete)))?;
        let (logical, outputs) = shape_outputs(logical, &table, &query.records_name)?;
        let physical = block_on(state.create_physical_plan(&logical))?;
        let layout = OutputLayout::new(&outputs, &physical.schema(), &records.value.field);
        let projection = leaf_projection(&physical);
        Ok(Self { table, projection, slot, physical, context: session.task_ctx(), layout })
    }

    /// Whether it was planned for records like these.
    pub(crate) fn fits(&self, records: &Records) -> bool {
        self.table.fits(records)
    }

    /// The field of the values that it was planned for.
    pub(crate) fn value_field(&self) -> FieldRef {
        Arc::clone(self.table.value_field())
    }

    /// Where the parts of the records stand in the result.
    pub(crate) fn layout(&self) -> &OutputLayout {
        &self.layout
    }

    /// What the plan reads of `records`; `None` if there can be no result.
    pub(crate) fn input(&self, records: &Records) -> volley_api::Result<Option<RecordBatch>> {
        self.projection.as_ref().map(|projection| self.table.batch(records, projection)).transpose()
    }

    /// The result of the query for rows of [`QueryPlan::input`], as one batch. A panic within an operator is an error.
    pub(crate) fn execute(&self, input: RecordBatch) -> Result<RecordBatch> {
        self.slot.put(input);
        let result = catch_unwind(AssertUnwindSafe(|| self.execute_slot()));
        self.slot.clear();
        result.unwrap_or_else(|panic| Err(exec_datafusion_err!("the query panicked: {}", panic_text(&*panic))))
    }

    fn execute_slot(&self) -> Result<RecordBatch> {
        let plan = reset_plan_states(Arc::clone(&self.physical))?;
        let schema = plan.schema();
        let mut batches = block_on(collect(plan, Arc::clone(&self.context)))?;
        match batches.len() {
            1 => Ok(batches.swap_remove(0)),
            _ => Ok(concat_batches(&schema, &batches)?),
        }
    }
}

/// Whether a row, as opposed to the plan or the process, may have caused an error.
pub(crate) fn may_be_a_bad_row(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::ArrowError(..)
        | DataFusionError::Execution(_)
        | DataFusionError::Internal(_)
        | DataFusionError::External(_) => true,
        _ => false,
    }
}

fn leaf_projection(plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<usize>> {
    if let Some(leaf) = plan.downcast_ref::<BatchExec>() {
        return Some(leaf.projection().to_vec());
    }
    plan.children().into_iter().find_map(leaf_projection)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "for an unknown reason",
    }
}
