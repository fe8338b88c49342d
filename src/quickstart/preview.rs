//! A query over the Parquet files that the sink wrote.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use volley_api::Error;

/// What is asked of the result.
pub(crate) const QUERY: &str = "SELECT product, count(*) AS orders, sum(quantity) AS items, round(sum(total), 2) AS total \
                                FROM orders GROUP BY product ORDER BY total DESC LIMIT 8";

/// The answer to [`QUERY`], read from `files`.
pub(crate) fn preview(files: &[PathBuf]) -> Result<Vec<RecordBatch>> {
    let first = files.first().context("the sink wrote no file")?;
    let schema = Arc::clone(ParquetRecordBatchReaderBuilder::try_new(File::open(first)?)?.schema());
    let wanted = Arc::clone(&schema);
    let files = files.to_vec();
    let batches = files.into_iter().flat_map(move |path| {
        let wanted = Arc::clone(&wanted);
        match open(&path) {
            Ok(reader) => Box::new(reader.map(move |batch| Ok(batch?.with_schema(Arc::clone(&wanted))?)))
                as Box<dyn Iterator<Item = volley_api::Result<RecordBatch>> + Send>,
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    });
    Ok(volley_sql::query_batches("orders", schema, Box::new(batches), QUERY)?)
}

fn open(path: &PathBuf) -> volley_api::Result<parquet::arrow::arrow_reader::ParquetRecordBatchReader> {
    let failed = |error: String| Error::fatal(format!("could not read {}: {error}", path.display()));
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| failed(error.to_string()))
}
