//! The sink task.

use std::sync::Arc;

use tracing::{info, warn};
use volley_api::{
    ConfigMap, Error, Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkProgress, SinkTask, TopicPartition,
};

use super::config::SinkConfig;
use crate::chain::{BackgroundUploads, Delivery};
use crate::clock::now_ms;
use crate::store::open_storage;

/// A task of `ObjectStoreSink`.
#[derive(Debug, Default)]
pub(crate) struct ObjectStoreSinkTask {
    /// `None` before `start` and after `stop`.
    delivery: Option<Delivery>,
}

impl ObjectStoreSinkTask {
    fn running(&mut self) -> Result<&mut Delivery> {
        self.delivery.as_mut().ok_or_else(|| Error::fatal("the task is not started"))
    }
}

impl SinkTask for ObjectStoreSinkTask {
    fn start(&mut self, context: SinkContext, config: &ConfigMap) -> Result<()> {
        let config = SinkConfig::parse(config)?;
        let owner = format!("{}-{}", context.connector, context.task);
        let storage = open_storage(&config.store, &owner)?;
        let uploads = Box::new(BackgroundUploads::new(Arc::clone(&storage), config.retry));
        info!(connector = context.connector, task = context.task, url = storage.url(), "writing Parquet files");
        let mut delivery = Delivery::new(context, config, storage, uploads, Arc::new(now_ms));
        match delivery.prepare() {
            // put and tick try again, until the time-out
            Err(error) if error.is_retriable() => warn!(%error, "starting without the store"),
            outcome => outcome?,
        }
        self.delivery = Some(delivery);
        Ok(())
    }

    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        self.running()?.put(batch)
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.running()?.pre_commit(current)
    }

    fn stop(&mut self) {
        self.delivery = None;
    }

    fn open(&mut self, partitions: &Offsets) -> Result<()> {
        self.running()?.open(partitions);
        Ok(())
    }

    fn close(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.running()?.close(partitions);
        Ok(())
    }

    fn flush(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.running()?.flush(partitions)
    }

    fn tick(&mut self) -> Result<()> {
        self.running()?.tick()
    }

    fn buffered_bytes(&self) -> usize {
        self.delivery.as_ref().map_or(0, Delivery::buffered_bytes)
    }

    fn relieve(&mut self) -> Result<()> {
        self.running()?.relieve()
    }

    fn progress(&self) -> SinkProgress {
        self.delivery.as_ref().map_or_else(SinkProgress::default, Delivery::progress)
    }
}
