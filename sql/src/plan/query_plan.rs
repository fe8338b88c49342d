//! A query that is planned for records of one key and value type, and executed for each batch.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as PlannerStatement;
use datafusion::sql::sqlparser::ast::Statement;
use volley_api::schema::has_schema;
use volley_api::{RecordFields, Records};

use super::batch_exec::{BatchExec, BatchSlot, BatchTable};
use super::output_layout::{OutputLayout, shape_outputs};
use super::plan_reset::ready_to_execute;
use super::row_number::carry_row_number;
use crate::query::{NamedFields, RECORDS, RowwiseQuery, completed};
use crate::records_table::RecordsTable;
use crate::wait_for::wait_for;

/// A query's plan; see the module's description.
#[derive(Debug)]
pub(crate) struct QueryPlan {
    key: FieldRef,
    value: FieldRef,
    /// The value's field, with the fields that the query names and the value does not have.
    completed: Option<FieldRef>,
    /// These fields.
    absent: Vec<Vec<String>>,
    table: RecordsTable,
    /// Columns of the table that the plan reads; `None` if it reads no table, since it can return no rows.
    projection: Option<Vec<usize>>,
    slot: BatchSlot,
    /// Each execution uses a copy, whose operators have no state of an earlier execution.
    physical: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    layout: OutputLayout,
}

impl QueryPlan {
    /// Plans `query` for records of these types. If values are schemaless, absent fields of `named` are null. Recurses
    /// over the query.
    pub(crate) fn new(
        session: &SessionContext,
        query: &RowwiseQuery,
        named: &NamedFields,
        records: &RecordFields,
    ) -> Result<Self> {
        let value = &records.value;
        let mut absent = Vec::new();
        if !has_schema(value) && matches!(value.data_type(), DataType::Struct(_)) {
            named.complete(value, &DataType::Null, &mut absent);
        }
        if absent.is_empty() {
            return Self::of_value(session, query, records, None, absent);
        }
        let mut first_error = None;
        for unknown in types_of_absent_fields() {
            let completed = named.complete(value, &unknown, &mut Vec::new());
            match Self::of_value(session, query, records, Some(completed), absent.clone()) {
                Ok(plan) => return Ok(plan),
                Err(error) => drop(first_error.get_or_insert(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| exec_datafusion_err!("the query was not planned")))
    }

    fn of_value(
        session: &SessionContext,
        query: &RowwiseQuery,
        records: &RecordFields,
        completed: Option<FieldRef>,
        absent: Vec<Vec<String>>,
    ) -> Result<Self> {
        let (key, value) = (Arc::clone(&records.key), Arc::clone(&records.value));
        let table = RecordsTable::new(&key, completed.as_ref().unwrap_or(&value));
        let slot = BatchSlot::default();
        let visible = BatchTable::new(table.visible_schema(), slot.clone());
        let complete = BatchTable::new(Arc::clone(table.schema()), slot.clone());
        session.deregister_table(RECORDS)?;
        session.register_table(RECORDS, Arc::new(visible))?;
        let state = session.state();
        let statement = Box::new(Statement::Query(Box::new(query.query.clone())));
        let logical = wait_for(state.statement_to_plan(PlannerStatement::Statement(statement)))?;
        let logical = carry_row_number(logical, &provider_as_source(Arc::new(complete)), &query.records_name)?;
        let (logical, outputs) = shape_outputs(logical, &table, &query.records_name)?;
        let physical = wait_for(state.create_physical_plan(&logical))?;
        let layout = OutputLayout::new(&outputs, &physical.schema(), &value);
        let projection = leaf_projection(&physical);
        let context = session.task_ctx();
        Ok(Self { key, value, completed, absent, table, projection, slot, physical, context, layout })
    }

    /// Drops the hash tables of lookup tables; the next execution makes them anew.
    pub(crate) fn forget_lookup_rows(&mut self) -> Result<()> {
        self.physical = reset_plan_states(Arc::clone(&self.physical))?;
        Ok(())
    }

    /// Whether the plan was created for records of these types.
    pub(crate) fn fits(&self, records: &Records) -> bool {
        same_field(&self.key, &records.key.field) && same_field(&self.value, &records.value.field)
    }

    /// The field of the values that the plan was created for.
    pub(crate) fn value_field(&self) -> &FieldRef {
        &self.value
    }

    /// The paths of the fields that the query names and the values do not have.
    pub(crate) fn absent_fields(&self) -> &[Vec<String>] {
        &self.absent
    }

    /// The places of the records' parts in the result.
    pub(crate) fn layout(&self) -> &OutputLayout {
        &self.layout
    }

    /// The columns of `records` that the plan reads; `None` if there can be no result.
    pub(crate) fn input(&self, records: &Records) -> volley_api::Result<Option<RecordBatch>> {
        let Some(projection) = &self.projection else { return Ok(None) };
        match &self.completed {
            None => self.table.batch(records, projection).map(Some),
            Some(field) => {
                let value = completed(&records.value, field)?;
                self.table.batch(&Records { value, ..records.clone() }, projection).map(Some)
            }
        }
    }

    /// The result of the query for rows of [`QueryPlan::input`], as one batch. A panic of an operator is an error.
    pub(crate) fn execute(&self, input: RecordBatch) -> Result<RecordBatch> {
        self.slot.put(input);
        let result = catch_unwind(AssertUnwindSafe(|| self.execute_slot()));
        self.slot.clear();
        result.unwrap_or_else(|panic| Err(exec_datafusion_err!("the query panicked: {}", panic_text(&*panic))))
    }

    fn execute_slot(&self) -> Result<RecordBatch> {
        let plan = ready_to_execute(&self.physical)?;
        let schema = plan.schema();
        let mut batches = wait_for(collect(plan, Arc::clone(&self.context)))?;
        match batches.len() {
            1 => Ok(batches.swap_remove(0)),
            _ => Ok(concat_batches(&schema, &batches)?),
        }
    }
}

/// Whether a row, rather than the plan or the process, may have caused an error.
pub(crate) fn may_be_a_bad_row(error: &DataFusionError) -> bool {
    use DataFusionError::{ArrowError, Execution, External, Internal};
    matches!(error.find_root(), ArrowError(..) | Execution(_) | External(_) | Internal(_))
}

/// Compares without visiting the types if both are the same allocation.
pub(crate) fn same_field(left: &FieldRef, right: &FieldRef) -> bool {
    Arc::ptr_eq(left, right) || left == right
}

/// The types to try for an absent field: some functions accept no null without a type.
pub(crate) fn types_of_absent_fields() -> [DataType; 3] {
    let texts = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    [DataType::Null, DataType::Utf8, texts]
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

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array};
    use arrow::datatypes::Fields;
    use datafusion::physical_plan::displayable;
    use volley_api::Column;

    use crate::plan::session::new_session;

    fn records() -> RecordFields {
        let fields =
            Fields::from(vec![Field::new("n", DataType::Int64, true), Field::new("unused", DataType::Int64, true)]);
        let field = Arc::new(Field::new("value", DataType::Struct(fields), true));
        RecordFields { key: Column::nulls(1).field, value: field }
    }

    fn plan(query: &str) -> QueryPlan {
        let session = new_session().unwrap();
        let rows = RecordBatch::try_from_iter([("k", Arc::new(Int64Array::from(vec![1, 1])) as ArrayRef)]).unwrap();
        session.register_batch("l", rows).unwrap();
        let query = RowwiseQuery::parse(query).unwrap();
        QueryPlan::new(&session, &query, &query.named_fields(&[]), &records()).unwrap()
    }

    #[test]
    fn only_columns_that_the_query_names_are_made() {
        let plan = plan("SELECT n + 1 AS m FROM records WHERE n > 0");
        let row_number = plan.table.schema().fields().len() - 1;
        assert_eq!(plan.projection, Some(vec![0, row_number]));
    }

    #[test]
    fn joins_hold_the_lookup_table_and_stream_the_records() {
        for join in ["JOIN", "LEFT JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN"] {
            let plan = plan(&format!("SELECT n FROM records {join} l ON n = k"));
            let shown = displayable(plan.physical.as_ref()).indent(false).to_string();
            let (lookup, records) = (shown.find("DataSourceExec").unwrap(), shown.find("BatchExec").unwrap());
            assert!(shown.contains("mode=CollectLeft") && lookup < records, "{join}: {shown}");
        }
    }
}
