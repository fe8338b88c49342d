//! Knows whether this worker is cut off from its group, because the coordinator is out of reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::herder::Stages;
use crate::herder::stages::OpenStage;

/// Kafka Connect's name of the stage.
pub(super) const ENSURING_MEMBERSHIP: &str = "ensuring membership in the cluster";

/// One stage, however often the worker tries to come back.
#[derive(Debug, Default)]
pub(super) struct CutOff {
    stage: Option<OpenStage>,
    is_so: Arc<AtomicBool>,
}

impl CutOff {
    /// The state, for other threads.
    pub(super) fn watch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_so)
    }

    /// Notes that the worker is cut off. Returns whether it was not so before.
    pub(super) fn begin(&mut self, stages: &Stages) -> bool {
        self.is_so.store(true, Ordering::Release);
        let is_news = self.stage.is_none();
        self.stage.get_or_insert_with(|| stages.enter(ENSURING_MEMBERSHIP));
        is_news
    }

    /// Notes that the worker is in its group. Returns whether it was not so before.
    pub(super) fn end(&mut self) -> bool {
        self.is_so.store(false, Ordering::Release);
        self.stage.take().is_some()
    }
}
