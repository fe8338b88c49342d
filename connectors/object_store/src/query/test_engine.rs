//! A stand-in for SQL: its result is all records, each time in another order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{AsArray, Int64Array, RecordBatch, StructArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field};
use volley_api::testing::column;
use volley_api::{
    BoundedQuery, Error, QueryEngine, QueryResult, QuerySettings, ReadyQuery, Records, RejectedRow, Result, Stage,
    TopicPartition, Transformation, Transformed,
};

/// The text of a query that fails.
pub(crate) const FAILING: &str = "SELECT 1 / 0";

#[derive(Debug, Default)]
pub(crate) struct TestEngine {
    executions: Arc<AtomicUsize>,
}

impl TestEngine {
    pub(crate) fn executions(&self) -> usize {
        self.executions.load(Ordering::Relaxed)
    }
}

impl QueryEngine for TestEngine {
    /// The column `bucket`: the offset modulo 3; null for those that end with 8. Offsets that end with 7 are rejected, those that
    /// end with 9 are left out. Even and odd ones come apart.
    fn columns(&self, select_list: &str) -> Result<Box<dyn Transformation>> {
        match select_list {
            "bucket" => Ok(Box::new(Buckets)),
            _ => Err(Error::config("line 1, column 8: no such column")),
        }
    }

    /// A table for each word behind FROM.
    fn tables(&self, query: &str) -> Result<Vec<String>> {
        match query.split_once("FROM ") {
            Some((_, tables)) => Ok(tables.split(' ').map(str::to_owned).collect()),
            None => Err(Error::config("line 1, column 1: no table")),
        }
    }

    fn open(&self, query: &str, _: QuerySettings) -> Result<Box<dyn BoundedQuery>> {
        let executions = Arc::clone(&self.executions);
        Ok(Box::new(Staged { fails: query == FAILING, executions, batches: Vec::new() }))
    }
}

struct Buckets;

impl Transformation for Buckets {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let offsets: Vec<i64> = (0..records.len()).filter_map(|row| records.offset(row)).collect();
        let rows = |wanted: &dyn Fn(i64) -> bool| -> Vec<u32> {
            (0_u32..).zip(&offsets).filter(|(_, offset)| wanted(**offset)).map(|(row, _)| row).collect()
        };
        let mut transformed = Transformed::default();
        for parity in [0, 1] {
            let kept = rows(&|offset| offset % 2 == parity && !matches!(offset % 10, 7 | 9));
            let bucket =
                |row: &u32| Some(offsets[*row as usize]).filter(|offset| offset % 10 != 8).map(|offset| offset % 3);
            let buckets: Int64Array = kept.iter().map(bucket).collect();
            let field = Arc::new(Field::new("bucket", DataType::Int64, true));
            let value = column(StructArray::from(vec![(field, Arc::new(buckets) as _)]));
            let taken = records.take(&kept.into())?;
            transformed.records.push(Records { value, ..taken });
        }
        transformed.rejected = rows(&|offset| offset % 10 == 7)
            .into_iter()
            .map(|row| RejectedRow {
                row: row as usize,
                stage: Stage::Transformation,
                class: "Sql".to_owned(),
                error: Error::data("seven"),
            })
            .collect();
        Ok(transformed)
    }
}

struct Staged {
    fails: bool,
    executions: Arc<AtomicUsize>,
    batches: Vec<(TopicPartition, RecordBatch)>,
}

impl BoundedQuery for Staged {
    fn add(&mut self, records: &Records) -> Result<()> {
        let origin = records.origin.clone().unwrap();
        self.batches.push((origin.partition.clone(), RecordBatch::from(records.value.array.as_struct())));
        Ok(())
    }

    fn forget(&mut self, partition: &TopicPartition) {
        self.batches.retain(|(origin, _)| origin != partition);
    }

    fn ready(&mut self, _: &[String]) -> Result<Box<dyn ReadyQuery>> {
        let batches = self.batches.iter().map(|(_, batch)| batch.clone()).collect();
        Ok(Box::new(Ready { fails: self.fails, executions: Arc::clone(&self.executions), batches }))
    }
}

struct Ready {
    fails: bool,
    executions: Arc<AtomicUsize>,
    batches: Vec<RecordBatch>,
}

impl ReadyQuery for Ready {
    fn execute(self: Box<Self>, _: &(dyn Fn() -> bool + Sync)) -> Result<Box<dyn QueryResult>> {
        let execution = self.executions.fetch_add(1, Ordering::Relaxed);
        if self.fails {
            return Err(Error::data("division by zero"));
        }
        let Some(first) = self.batches.first() else { return Ok(Box::new(Rows(Vec::new()))) };
        let all = concat_batches(&first.schema(), &self.batches)?;
        let rows = 0..u32::try_from(all.num_rows()).unwrap();
        let order: UInt32Array = if execution % 2 == 1 { rows.rev().collect() } else { rows.collect() };
        let all = take_record_batch(&all, &order)?;
        let parts = (0..all.num_rows()).step_by(10).map(|row| all.slice(row, 10.min(all.num_rows() - row)));
        Ok(Box::new(Rows(parts.rev().collect())))
    }
}

/// The last one first.
struct Rows(Vec<RecordBatch>);

impl QueryResult for Rows {
    fn rows(&self) -> u64 {
        self.0.iter().map(|batch| batch.num_rows() as u64).sum()
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.0.pop())
    }
}
