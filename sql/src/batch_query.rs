//! Full SQL, executed once over batches that are read on demand.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::exec_datafusion_err;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::SQLOptions;
use futures::stream;
use parking_lot::Mutex;
use volley_api::{Error, Result};

use crate::plan::new_session;
use crate::reason::reason_of;
use crate::wait_for::wait_for;

/// The batches of a table, in order.
type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Executes `sql`, any SELECT, over the table `table` of these batches, which MUST have `schema`.
///
/// Batches are read one by one, so a query that aggregates or filters needs little memory. Rows that it sorts or joins
/// are held in memory. The table can be read only once: a query that joins it with itself fails.
///
/// # Errors
/// `Config` if the query is wrong; the iterator's own errors; `Data` if the query fails for a row.
pub fn query_batches(table: &str, schema: SchemaRef, batches: Batches, sql: &str) -> Result<Vec<RecordBatch>> {
    let refused = |error: DataFusionError| Error::config(format!("could not plan the query: {}", reason_of(&error)));
    let session = new_session().map_err(refused)?;
    let batches = Arc::new(OneReading { schema: Arc::clone(&schema), batches: Mutex::new(Some(batches)) });
    let streaming = StreamingTable::try_new(schema, vec![batches]).map_err(refused)?;
    session.register_table(table, Arc::new(streaming)).map_err(refused)?;
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let frame = wait_for(session.sql_with_options(sql, read_only)).map_err(refused)?;
    wait_for(frame.collect()).map_err(execution_error)
}

fn execution_error(error: DataFusionError) -> Error {
    let reason = reason_of(&error);
    match error {
        DataFusionError::External(source) => match source.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::data("could not execute the query").with_source(other),
        },
        _ => Error::data(format!("could not execute the query: {reason}")),
    }
}

/// A table that can be read only once.
struct OneReading {
    schema: SchemaRef,
    batches: Mutex<Option<Batches>>,
}

impl fmt::Debug for OneReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneReading").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PartitionStream for OneReading {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let batches: Box<dyn Iterator<Item = std::result::Result<RecordBatch, DataFusionError>> + Send> =
            match self.batches.lock().take() {
                Some(batches) => {
                    let schema = Arc::clone(&schema);
                    Box::new(batches.map(move |batch| checked(batch, &schema)))
                }
                None => {
                    Box::new(std::iter::once(Err(exec_datafusion_err!("the table can be read only once in a query"))))
                }
            };
        Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches)))
    }
}

fn checked(batch: Result<RecordBatch>, schema: &SchemaRef) -> std::result::Result<RecordBatch, DataFusionError> {
    let batch = batch.map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        batch.columns().to_vec(),
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows())),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use arrow::util::pretty::pretty_format_batches;

    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("userId", DataType::Int64, false),
            Field::new("country", DataType::Utf8, true),
        ]))
    }

    fn batch(start: i64, len: i64) -> RecordBatch {
        let ids: Int64Array = (start..start + len).collect::<Vec<_>>().into();
        let countries: StringArray = (start..start + len).map(|id| (id % 3 > 0).then_some("DE")).collect();
        RecordBatch::try_new(schema(), vec![Arc::new(ids), Arc::new(countries)]).unwrap()
    }

    fn run(sql: &str, batches: Vec<Result<RecordBatch>>) -> Result<String> {
        let result = query_batches("orders", schema(), Box::new(batches.into_iter()), sql)?;
        Ok(pretty_format_batches(&result).unwrap().to_string())
    }

    #[test]
    fn groups_sorts_and_windows_over_all_batches() {
        let batches = (0..100).map(|index| Ok(batch(index * 1_000, 1_000))).collect();
        let sql = "SELECT country, count(*) AS n, max(userId) AS m FROM orders GROUP BY country ORDER BY n LIMIT 3";
        let shown = run(sql, batches).unwrap();
        assert!(
            shown.contains("|         | 33334 | 99999 |") && shown.contains("| DE      | 66666 | 99998 |"),
            "{shown}"
        );
    }

    #[test]
    fn large_results_are_sorted_without_a_runtime() {
        let batches = (0..50).map(|index| Ok(batch(index * 10_000, 10_000))).collect::<Vec<_>>();
        let sql = "SELECT userId FROM orders ORDER BY userId DESC";
        let result = query_batches("orders", schema(), Box::new(batches.into_iter()), sql).unwrap();
        assert_eq!(result.iter().map(RecordBatch::num_rows).sum::<usize>(), 500_000);
    }

    #[test]
    fn errors_of_the_batches_and_of_the_query_are_kept_apart() {
        let error = run("SELECT * FROM orders", vec![Err(Error::fatal("disk gone"))]).unwrap_err();
        assert_eq!((error.kind(), error.to_string()), (volley_api::ErrorKind::Fatal, "disk gone".to_owned()));
        let error = run("SELECT nothing FROM orders", vec![]).unwrap_err();
        assert_eq!(error.kind(), volley_api::ErrorKind::Config);
        let error = run("CREATE TABLE x (a INT)", vec![]).unwrap_err();
        assert_eq!(error.kind(), volley_api::ErrorKind::Config);
        let error = run("SELECT 1 / (userId - 1) FROM orders", vec![Ok(batch(0, 3))]).unwrap_err();
        assert_eq!(error.kind(), volley_api::ErrorKind::Data);
        let twice = "SELECT a.userId FROM orders a JOIN orders b ON a.userId = b.userId";
        assert!(run(twice, vec![Ok(batch(0, 3))]).unwrap_err().to_string().contains("only once"));
    }
}
