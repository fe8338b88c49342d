//! The tasks of the blocking connectors.

use std::thread;
use std::time::Duration;

use volley_api::{
    ConfigMap, Offsets, Polled, RejectedRow, Result, SinkBatch, SinkTask, SourceOffset, SourcePartition, SourceTask,
    TopicPartition,
};

use super::block::{Block, hang};

/// Sends nothing, and hangs where it is told to.
#[derive(Debug)]
pub(super) struct BlockingSourceTask {
    block: Block,
}

impl BlockingSourceTask {
    /// Starts it, or hangs at once.
    pub(super) fn start(hangs_at_once: bool, config: &ConfigMap) -> Self {
        if hangs_at_once {
            hang();
        }
        let block = Block::of(config);
        block.at(&["Task::version", "SourceTask::initialize", "Task::start"]);
        Self { block }
    }
}

impl SourceTask for BlockingSourceTask {
    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        self.block.at(&["SourceTask::poll"]);
        thread::sleep(max_wait);
        Ok(Polled::Idle)
    }

    fn stop(&mut self) {
        self.block.at(&["Task::stop"]);
    }

    fn commit(&mut self, _delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        self.block.at(&["SourceTask::commit", "SourceTask::commitRecord", "SourceTask::commitRecordWithMetadata"]);
        Ok(())
    }
}

/// Drops its records, and hangs where it is told to.
#[derive(Debug)]
pub(super) struct BlockingSinkTask {
    block: Block,
}

impl BlockingSinkTask {
    /// Starts it, or hangs at once.
    pub(super) fn start(hangs_at_once: bool, config: &ConfigMap) -> Self {
        if hangs_at_once {
            hang();
        }
        let block = Block::of(config);
        block.at(&["Task::version", "SinkTask::initialize", "Task::start"]);
        Self { block }
    }
}

impl SinkTask for BlockingSinkTask {
    fn put(&mut self, _batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        self.block.at(&["SinkTask::put"]);
        Ok(Vec::new())
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        self.block.at(&["SinkTask::preCommit", "SinkTask::flush"]);
        Ok(current.clone())
    }

    fn open(&mut self, _partitions: &Offsets) -> Result<()> {
        self.block.at(&["SinkTask::open", "SinkTask::onPartitionsAssigned"]);
        Ok(())
    }

    fn close(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        self.block.at(&["SinkTask::close", "SinkTask::onPartitionsRevoked"]);
        Ok(())
    }

    fn stop(&mut self) {
        self.block.at(&["Task::stop"]);
    }
}
