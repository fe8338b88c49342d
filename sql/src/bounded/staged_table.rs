//! A topic's records as a table of DataFusion, read from disk as often as a plan wants.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream};
use futures::stream;

use super::spill_file::{Segment, SpillReader};
use super::staged_records::StagedTable;
use super::table_columns::fitted;

#[async_trait]
impl TableProvider for StagedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => Arc::clone(&self.schema),
        };
        let parts = state.config().target_partitions().max(1);
        let part = self.segments.len().div_ceil(parts).max(1);
        let mut streams: Vec<Arc<dyn PartitionStream>> = Vec::new();
        for segments in self.segments.chunks(part) {
            let (schema, segments, reader) = (Arc::clone(&schema), segments.to_vec(), self.reader.clone());
            streams.push(Arc::new(Part { schema, segments, reader }));
        }
        if streams.is_empty() {
            let (schema, reader) = (Arc::clone(&schema), self.reader.clone());
            streams.push(Arc::new(Part { schema, segments: Vec::new(), reader }));
        }
        Ok(Arc::new(StreamingTableExec::try_new(schema, streams, None, [], false, limit)?))
    }
}

/// A part of the rows.
#[derive(Debug)]
struct Part {
    /// The columns that the plan reads.
    schema: SchemaRef,
    segments: Vec<(SchemaRef, Segment)>,
    reader: SpillReader,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, reader) = (Arc::clone(&self.schema), self.reader.clone());
        let batches = self.segments.clone().into_iter().map(move |(own, segment)| {
            read(&reader, &own, segment, &schema).map_err(|error| DataFusionError::External(Box::new(error)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter(batches)))
    }
}

fn read(reader: &SpillReader, own: &Schema, segment: Segment, wanted: &SchemaRef) -> volley_api::Result<RecordBatch> {
    let projection = wanted.fields().iter().filter_map(|field| own.index_of(field.name()).ok()).collect();
    fitted(&reader.read(segment, Some(projection))?, wanted)
}
