//! The tasks of the blocking connectors.

use std::thread;
use std::time::Duration;

use volley_api::{
    ConfigMap, Offsets, Polled, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, SourceContext, SourceOffset,
    SourcePartition, SourceTask, TopicPartition,
};

use super::block::{Block, hang};

/// Sends nothing, and hangs where it is told to.
#[derive(Debug)]
pub(super) struct BlockingSourceTask {
    hangs_at_once: bool,
    block: Block,
}

impl BlockingSourceTask {
    pub(super) fn new(hangs_at_once: bool) -> Self {
        Self { hangs_at_once, block: Block::default() }
    }
}

impl SourceTask for BlockingSourceTask {
    fn start(&mut self, _context: SourceContext, config: &ConfigMap) -> Result<()> {
        if self.hangs_at_once {
            hang();
        }
        self.block = Block::of(config);
        self.block.at(&["Task::version", "SourceTask::initialize", "Task::start"]);
        Ok(())
    }

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
    hangs_at_once: bool,
    block: Block,
}

impl BlockingSinkTask {
    pub(super) fn new(hangs_at_once: bool) -> Self {
        Self { hangs_at_once, block: Block::default() }
    }
}

impl SinkTask for BlockingSinkTask {
    fn start(&mut self, _context: SinkContext, config: &ConfigMap) -> Result<()> {
        if self.hangs_at_once {
            hang();
        }
        self.block = Block::of(config);
        self.block.at(&["Task::version", "SinkTask::initialize", "Task::start"]);
        Ok(())
    }

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
