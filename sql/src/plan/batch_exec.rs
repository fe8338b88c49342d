//! The leaf of every plan: returns the batch in its slot, once per execution.
//!
//! Unlike the content of DataFusion's memory sources, this batch can be changed without planning again.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics, exec_datafusion_err};
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

/// The slot for the batch of the next execution, with exactly the columns that the leaf was planned for.
#[derive(Clone, Debug, Default)]
pub(crate) struct BatchSlot(Arc<Mutex<Option<RecordBatch>>>);

impl BatchSlot {
    pub(crate) fn put(&self, batch: RecordBatch) {
        *self.0.lock() = Some(batch);
    }

    pub(crate) fn clear(&self) {
        *self.0.lock() = None;
    }
}

/// A table whose columns are known before a batch is in its slot.
#[derive(Debug)]
pub(crate) struct BatchTable {
    schema: SchemaRef,
    slot: BatchSlot,
}

impl BatchTable {
    pub(crate) fn new(schema: SchemaRef, slot: BatchSlot) -> Self {
        Self { schema, slot }
    }
}

#[async_trait]
impl TableProvider for BatchTable {
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
        Ok(Arc::new(BatchExec::new(&self.schema, projection, self.slot.clone())?))
    }
}

/// The execution plan of the leaf; see the module's description.
#[derive(Debug)]
pub(crate) struct BatchExec {
    projection: Vec<usize>,
    slot: BatchSlot,
    properties: Arc<PlanProperties>,
}

impl BatchExec {
    fn new(schema: &SchemaRef, projection: Vec<usize>, slot: BatchSlot) -> Result<Self> {
        let projected = Arc::new(schema.project(&projection)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(projected),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { projection, slot, properties: Arc::new(properties) })
    }

    /// The columns of the table that a batch in the slot must have.
    pub(crate) fn projection(&self) -> &[usize] {
        &self.projection
    }
}

impl DisplayAs for BatchExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchExec: columns={:?}", self.projection)
    }
}

impl ExecutionPlan for BatchExec {
    fn name(&self) -> &str {
        "BatchExec"
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
        let batch = self.slot.0.lock().clone();
        let batch = batch.ok_or_else(|| exec_datafusion_err!("the query was executed without a batch"))?;
        let schema = self.properties.eq_properties.schema();
        Ok(Box::pin(MemoryStream::try_new(vec![batch], Arc::clone(schema), None)?))
    }

    /// Larger than any lookup table, so that joins keep the lookup table in memory and stream the records.
    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], _args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(self.properties.eq_properties.schema());
        statistics.num_rows = Precision::Inexact(1 << 40);
        statistics.total_byte_size = Precision::Inexact(1 << 44);
        Ok(Arc::new(statistics))
    }
}
