//! Rows into batches.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use mysql_async::Row;
use volley_api::{Error, Result};

use super::column_builder::ColumnBuilder;
use crate::column_plan::ColumnPlan;
use crate::parameters::ZeroDates;

/// Makes batches of rows.
#[derive(Debug)]
pub(crate) struct RowDecoder {
    schema: SchemaRef,
    columns: Vec<ColumnBuilder>,
    zero_dates: ZeroDates,
    batch_rows: usize,
    batch_bytes: usize,
    rows: usize,
    bytes: usize,
}

impl RowDecoder {
    /// For a result of these columns; a batch ends with the row that reaches `batch_rows` or `batch_bytes`.
    pub(crate) fn new(plans: &[ColumnPlan], zero_dates: ZeroDates, batch_rows: usize, batch_bytes: usize) -> Self {
        let fields: Vec<_> = plans.iter().map(|plan| plan.column.field.clone().with_nullable(true)).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns: plans.iter().map(|plan| ColumnBuilder::new(plan.value)).collect(),
            zero_dates,
            batch_rows,
            batch_bytes,
            rows: 0,
            bytes: 0,
        }
    }

    /// Takes a row.
    ///
    /// # Errors
    /// `Data`, naming the column, for a value that has no place in it.
    pub(crate) fn append(&mut self, row: &Row) -> Result<()> {
        for (place, column) in self.columns.iter_mut().enumerate() {
            let value = row.as_ref(place).ok_or_else(|| Error::fatal("the server has sent a row that is too short"))?;
            self.bytes += column.append(value, self.zero_dates).map_err(|what| {
                let name = self.schema.field(place).name();
                Error::data(format!("column `{name}` has {what}"))
            })?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Whether a batch is complete.
    pub(crate) fn is_full(&self) -> bool {
        self.rows >= self.batch_rows || self.bytes >= self.batch_bytes
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows so far.
    pub(crate) fn take(&mut self) -> Result<RecordBatch> {
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}
