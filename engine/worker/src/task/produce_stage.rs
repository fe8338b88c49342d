//! The second stage of a source task: records to bytes, to Kafka, and the offsets of what is acknowledged to the store.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use arrow::array::{Array, BinaryArray};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use tracing::warn;
use volley_api::{
    Column, Converter, Error, HeaderConverter, RawHeader, Records, RejectedRow, Result, SourceOffset, SourcePartition,
    Stage,
};
use volley_kafka::{Outgoing, Producer};

use crate::clock::now_ms;
use crate::storage::OffsetBackingStore;
use crate::task::acknowledgements::{Acknowledgements, BatchId};
use crate::task::control::Control;
use crate::task::error_handler::{ErrorHandler, Input};
use crate::task::source_task::Commits;
use crate::task::{ConnectorTaskId, TaskProgress};

/// How often acknowledgements are looked at while there is nothing to send.
const IDLE: Duration = Duration::from_millis(20);
/// How long a stop waits for outstanding acknowledgements.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Records of one source partition on their way to Kafka.
pub(crate) struct ToProduce {
    pub(crate) records: Vec<Records>,
    pub(crate) partition: SourcePartition,
    pub(crate) offset: SourceOffset,
}

/// What the produce stage works with.
pub(crate) struct ProduceStage {
    pub(crate) id: ConnectorTaskId,
    pub(crate) key: Box<dyn Converter>,
    pub(crate) value: Box<dyn Converter>,
    pub(crate) header: Box<dyn HeaderConverter>,
    pub(crate) header_class: String,
    pub(crate) producer: Producer,
    pub(crate) offsets: Arc<dyn OffsetBackingStore>,
    pub(crate) errors: Arc<ErrorHandler>,
    pub(crate) control: Arc<Control>,
    pub(crate) progress: Arc<TaskProgress>,
    pub(crate) commit_interval: Duration,
    pub(crate) acknowledgements: Acknowledgements,
}

impl ProduceStage {
    /// Runs until the input ends and its messages are acknowledged. Returns whether everything was delivered and
    /// committed.
    pub(crate) fn run(&mut self, input: &Receiver<ToProduce>, committed: &Sender<Commits>) -> Result<bool> {
        let outcome = self.serve(input, committed);
        let settled = self.settle(outcome.is_err());
        let commit = self.commit(committed);
        outcome?;
        let is_settled = settled?;
        commit?;
        Ok(is_settled)
    }

    fn serve(&mut self, input: &Receiver<ToProduce>, committed: &Sender<Commits>) -> Result<()> {
        let mut next_commit = Instant::now() + self.commit_interval;
        loop {
            match input.recv_timeout(IDLE) {
                Ok(batch) => self.produce(batch)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.take_deliveries(Duration::ZERO)?;
            if Instant::now() >= next_commit {
                if let Err(error) = self.commit(committed) {
                    warn!(task = %self.id, %error, "offset commit failed, trying again at the next interval");
                }
                next_commit = Instant::now() + self.commit_interval;
            }
        }
    }

    fn produce(&mut self, batch: ToProduce) -> Result<()> {
        let id = self.acknowledgements.open(batch.partition, batch.offset);
        for records in &batch.records {
            self.send(id, records)?;
            self.control.uses_topic(&records.topic);
        }
        self.acknowledgements.close(id);
        Ok(())
    }

    fn send(&mut self, id: BatchId, records: &Records) -> Result<()> {
        let topic = Arc::clone(&records.topic);
        let mut rejected = Vec::new();
        let keys = self.serialize(Stage::KeyConverter, &topic, &records.key, &mut rejected)?;
        let values = self.serialize(Stage::ValueConverter, &topic, &records.value, &mut rejected)?;
        let headers = self.headers(records, &mut rejected);
        let mut is_rejected = vec![false; if rejected.is_empty() { 0 } else { records.len() }];
        for row in &mut rejected {
            is_rejected[row.row] = true;
            row.row = records.rows.input_row(row.row);
        }
        self.errors.handle(Input::Polled(&topic), rejected)?;
        for row in 0..records.len() {
            if is_rejected.get(row).copied().unwrap_or_default() {
                continue;
            }
            let (key, value) = (bytes_at(&keys, row), bytes_at(&values, row));
            let size = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
            let outgoing = Outgoing {
                topic: &topic,
                partition: records.kafka_partition,
                timestamp: Some(records.timestamps[row]).filter(|timestamp| *timestamp >= 0),
                key,
                value,
                headers: headers.as_ref().map_or(&[], |headers| headers[row].as_slice()),
            };
            self.acknowledgements.sent(id);
            match self.producer.send(&outgoing, id.token()) {
                Ok(()) => self.progress.bytes_in.fetch_add(size as u64, Ordering::Relaxed),
                Err(error) => {
                    self.failed(id, &format!("topic `{topic}`"), error)?;
                    0
                }
            };
        }
        Ok(())
    }

    /// The column as bytes; rows that cannot be converted are added to `rejected` by their place in the column.
    fn serialize(
        &mut self,
        stage: Stage,
        topic: &str,
        column: &Column,
        rejected: &mut Vec<RejectedRow>,
    ) -> Result<BinaryArray> {
        let control = Arc::clone(&self.control);
        let converter = if stage == Stage::KeyConverter { &mut self.key } else { &mut self.value };
        let mut serialized =
            self.errors.with_retries(&move || control.is_stopping(), || converter.from_connect(topic, column))?;
        rejected.append(&mut serialized.rejected);
        Ok(serialized.bytes)
    }

    fn headers(&mut self, records: &Records, rejected: &mut Vec<RejectedRow>) -> Option<Vec<Vec<RawHeader>>> {
        let headers = records.headers.as_ref()?;
        let mut converted = Vec::with_capacity(headers.len());
        for (row, of_row) in headers.iter().enumerate() {
            let raw: Result<Vec<RawHeader>> =
                of_row.iter().map(|header| self.header.from_connect(&records.topic, header)).collect();
            converted.push(raw.unwrap_or_else(|error| {
                let class = self.header_class.clone();
                rejected.push(RejectedRow { row, stage: Stage::HeaderConverter, class, error });
                Vec::new()
            }));
        }
        Some(converted)
    }

    /// A message that Kafka does not take: the end of the task, or tolerated and counted as acknowledged.
    fn failed(&mut self, id: BatchId, topic: &str, error: Error) -> Result<()> {
        if !self.errors.tolerates_all() {
            return Err(Error::fatal(format!("could not produce to {topic}")).with_source(error));
        }
        let class = "org.apache.kafka.connect.runtime.WorkerSourceTask".to_owned();
        self.acknowledgements.acknowledged(id);
        self.errors.handle(Input::Polled(topic), vec![RejectedRow { row: 0, stage: Stage::KafkaProduce, class, error }])
    }

    fn take_deliveries(&mut self, max_wait: Duration) -> Result<()> {
        for delivery in self.producer.deliveries(max_wait) {
            let id = BatchId::from_token(delivery.token);
            match delivery.result {
                Ok(_) => {
                    self.acknowledgements.acknowledged(id);
                    self.progress.rows_out.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => self.failed(id, "the topic", error)?,
            }
        }
        Ok(())
    }

    /// Waits for outstanding acknowledgements: for ever at the end of a bounded source, not for long at a stop or after a
    /// failure.
    fn settle(&mut self, is_failed: bool) -> Result<bool> {
        let mut deadline = None;
        while !self.acknowledgements.is_settled() {
            self.take_deliveries(Duration::from_millis(50))?;
            if is_failed || self.control.is_stopping() {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + SETTLE_TIMEOUT);
                if Instant::now() >= deadline {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Stores the offsets of everything acknowledged in order.
    fn commit(&mut self, committed: &Sender<Commits>) -> Result<()> {
        let offsets = self.acknowledgements.take_committable();
        if offsets.is_empty() {
            return Ok(());
        }
        let entries: Vec<_> =
            offsets.iter().map(|(partition, offset)| (partition.clone(), Some(offset.clone()))).collect();
        if let Err(error) = self.offsets.set(&self.id.connector, &entries) {
            self.acknowledgements.restore(offsets);
            return Err(error);
        }
        self.progress.last_commit_ms.store(now_ms(), Ordering::Relaxed);
        // the task learns of a later commit if it is behind with these
        let _ = committed.try_send(offsets);
        Ok(())
    }
}

fn bytes_at(array: &BinaryArray, row: usize) -> Option<&[u8]> {
    array.is_valid(row).then(|| array.value(row))
}
