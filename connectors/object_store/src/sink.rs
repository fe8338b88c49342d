//! The sink task.

use std::sync::Arc;

use tracing::{info, warn};
use volley_api::{Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, TopicPartition};

use super::config::SinkConfig;
use crate::chain::{BackgroundUploads, Delivery};
use crate::clock::now_ms;
use crate::keyed::KeyedSinkTask;
use crate::store::open_storage;

/// Starts a task of `ObjectStoreSink` that writes records as they come.
pub(crate) fn start_task(context: SinkContext, config: SinkConfig) -> Result<Box<dyn SinkTask>> {
    match config.keyed.clone() {
        Some(template) => Ok(Box::new(KeyedSinkTask::start(context, config, template)?)),
        None => Ok(Box::new(ObjectStoreSinkTask::start(context, config)?)),
    }
}

/// A task of `ObjectStoreSink` whose files make chains.
#[derive(Debug)]
pub(crate) struct ObjectStoreSinkTask {
    delivery: Delivery,
}

impl ObjectStoreSinkTask {
    /// Opens the store.
    pub(crate) fn start(context: SinkContext, config: SinkConfig) -> Result<Self> {
        let owner = format!("{}-{}", context.connector, context.task);
        let storage = open_storage(&config.store, &owner, &config.spool_directory)?;
        let uploads = Box::new(BackgroundUploads::new(Arc::clone(&storage), config.retry));
        info!(connector = context.connector, task = context.task, url = storage.url(), "writing files");
        let mut delivery = Delivery::new(context, config, storage, uploads, Arc::new(now_ms))?;
        match delivery.prepare() {
            // put and tick try again, until the time-out
            Err(error) if error.is_retriable() => warn!(%error, "starting without the store"),
            outcome => outcome?,
        }
        Ok(Self { delivery })
    }
}

impl SinkTask for ObjectStoreSinkTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        self.delivery.put(batch)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.delivery.pre_commit(current)
    }

    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        self.delivery.open(partitions);
        Ok(())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.delivery.close(partitions);
        Ok(())
    }

    fn flush(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.delivery.flush(partitions)
    }

    fn tick(&mut self) -> Result<()> {
        self.delivery.tick()
    }

    fn buffered_bytes(&self) -> usize {
        self.delivery.buffered_bytes()
    }

    fn relieve(&mut self) -> Result<()> {
        self.delivery.relieve()
    }
}
