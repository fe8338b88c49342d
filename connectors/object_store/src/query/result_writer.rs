//! Writes a result, row after row, as files.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{BinaryArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{
    Column, Error, OffsetRange, Offsets, Origin, QueryResult, RawBatch, Records, Result, RowIndex, SinkBatch,
    SinkContext, TimestampType, TopicPartition,
};

use crate::chain::{BackgroundUploads, Delivery, NewFile};
use crate::clock::now_ms;
use crate::config::SinkConfig;
use crate::store::Storage;

/// Rows have offsets as if they stood in a partition: the number of the row in the result.
pub(super) struct ResultWriter {
    delivery: Delivery,
    result: Box<dyn QueryResult>,
    partition: TopicPartition,
    next_row: i64,
    /// Rows that the delivery had no room for.
    waiting: Option<SinkBatch>,
}

impl ResultWriter {
    /// Writes `result` to the directory of the topic `name`.
    pub(super) fn new(
        context: &SinkContext,
        config: SinkConfig,
        storage: Arc<dyn Storage>,
        name: &str,
        result: Box<dyn QueryResult>,
    ) -> Result<Self> {
        // what the files ask of the worker is not about its partitions
        let context = SinkContext::new(context.connector.clone(), context.task).with_metrics(context.metrics().clone());
        let uploads = Box::new(BackgroundUploads::new(Arc::clone(&storage), config.retry));
        let mut delivery = Delivery::new(context, config, storage, uploads, Arc::new(now_ms))?.of_new_files();
        let partition = TopicPartition::new(name, 0);
        delivery.open(&Offsets::from([(partition.clone(), 0)]));
        Ok(Self { delivery, result, partition, next_row: 0, waiting: None })
    }

    /// Goes on, for about so long. Whether all rows are in the store.
    pub(super) fn advance(&mut self, until: Instant) -> Result<bool> {
        loop {
            let Some(batch) = self.next_batch()? else { break };
            match self.delivery.put(&batch) {
                Ok(rejected) => self.check(rejected.first().map(|row| (row.row, &row.error)), &batch)?,
                Err(error) => {
                    self.waiting = Some(batch);
                    return Err(error);
                }
            }
            if Instant::now() >= until {
                return Ok(false);
            }
        }
        self.delivery.flush(std::slice::from_ref(&self.partition))?;
        let all = Offsets::from([(self.partition.clone(), self.next_row)]);
        Ok(self.delivery.pre_commit(&all)? == all)
    }

    /// The files, once all are there.
    pub(super) fn files(&self) -> &[NewFile] {
        self.delivery.new_files()
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        self.delivery.buffered_bytes()
    }

    pub(super) fn relieve(&mut self) -> Result<()> {
        self.delivery.relieve()
    }

    fn next_batch(&mut self) -> Result<Option<SinkBatch>> {
        if let Some(batch) = self.waiting.take() {
            return Ok(Some(batch));
        }
        let Some(rows) = self.result.next_batch()? else { return Ok(None) };
        let batch = sink_batch(&self.partition, self.next_row, rows);
        self.next_row = batch.origin().range.end;
        Ok(Some(batch))
    }

    fn check(&self, rejected: Option<(usize, &Error)>, batch: &SinkBatch) -> Result<()> {
        let Some((row, error)) = rejected else { return Ok(()) };
        let row = batch.origin().offsets.get(row).copied().unwrap_or_default();
        Err(Error::data(format!("row {row} of the result, counted from 0, cannot be written"))
            .with_source(error.clone()))
    }
}

/// Rows of a result as if they had been consumed.
fn sink_batch(partition: &TopicPartition, first: i64, rows: RecordBatch) -> SinkBatch {
    let len = rows.num_rows();
    let end = first + i64::try_from(len).unwrap_or(i64::MAX - first);
    let origin = Arc::new(Origin {
        partition: partition.clone(),
        range: OffsetRange { first, end },
        offsets: (first..end).collect(),
        timestamp_type: TimestampType::CreateTime,
        timestamps: vec![-1; len].into(),
    });
    let nulls = BinaryArray::new_null(len);
    let value = StructArray::from(rows);
    let field = Field::new("value", DataType::Struct(value.fields().clone()), false);
    let records = Records {
        topic: Arc::clone(&partition.topic),
        kafka_partition: Some(partition.partition),
        key: Column::nulls(len),
        value: Column::new(Arc::new(field), Arc::new(value)),
        timestamps: vec![-1; len].into(),
        headers: None,
        rows: RowIndex::all(len),
        origin: Some(Arc::clone(&origin)),
    };
    let raw = RawBatch { origin, keys: nulls.clone(), values: nulls, headers: None };
    SinkBatch { raw: Arc::new(raw), records: vec![records] }
}
