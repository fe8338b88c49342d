//! The leaf of a plan that reads a lookup table: returns the rows that are in its slot.
//!
//! Unlike DataFusion's memory table its rows can be replaced without planning again, and it says nothing about them that
//! a plan could build on.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream, StatisticsArgs,
};
use parking_lot::Mutex;

/// The slot for the rows of a table.
#[derive(Clone, Debug)]
pub(super) struct RowsSlot(Arc<Mutex<RecordBatch>>);

impl RowsSlot {
    pub(super) fn new(rows: RecordBatch) -> Self {
        Self(Arc::new(Mutex::new(rows)))
    }

    /// Puts `rows`, which MUST have the columns of those before, in the place of those before.
    pub(super) fn put(&self, rows: RecordBatch) {
        *self.0.lock() = rows;
    }

    pub(super) fn rows(&self) -> RecordBatch {
        self.0.lock().clone()
    }
}

/// The table of a slot.
#[derive(Debug)]
pub(super) struct SlotTable {
    schema: SchemaRef,
    slot: RowsSlot,
}

impl SlotTable {
    pub(super) fn new(slot: RowsSlot) -> Self {
        Self { schema: slot.rows().schema(), slot }
    }
}

#[async_trait]
impl TableProvider for SlotTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let projection = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        Ok(Arc::new(LookupExec::new(&self.schema, projection, self.slot.clone())?))
    }
}

#[derive(Debug)]
struct LookupExec {
    projection: Vec<usize>,
    slot: RowsSlot,
    properties: Arc<PlanProperties>,
}

impl LookupExec {
    fn new(schema: &SchemaRef, projection: Vec<usize>, slot: RowsSlot) -> Result<Self> {
        let projected = Arc::new(schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(projected),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { projection, slot, properties: Arc::new(properties) })
    }
}

impl DisplayAs for LookupExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LookupExec: columns={:?}", self.projection)
    }
}

impl ExecutionPlan for LookupExec {
    fn name(&self) -> &str {
        "LookupExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, _partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.slot.rows().project(&self.projection)?;
        let schema = self.properties.eq_properties.schema();
        Ok(Box::pin(MemoryStream::try_new(vec![rows], Arc::clone(schema), None)?))
    }

    /// Never exact: a plan outlives the rows.
    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], _args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let rows = self.slot.rows();
        let mut statistics = Statistics::new_unknown(self.properties.eq_properties.schema());
        statistics.num_rows = Precision::Inexact(rows.num_rows());
        statistics.total_byte_size = Precision::Inexact(rows.get_array_memory_size());
        Ok(Arc::new(statistics))
    }
}
