//! Batches that are acknowledged, for a task that wants to know where its records are.

use std::sync::{Mutex, PoisonError};

use volley_api::AcknowledgedBatch;

/// Filled by the produce stage, emptied by the task's own thread.
#[derive(Debug, Default)]
pub(crate) struct AcknowledgedBatches(Mutex<Vec<AcknowledgedBatch>>);

impl AcknowledgedBatches {
    pub(crate) fn add(&self, batches: Vec<AcknowledgedBatch>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(batches);
    }

    pub(crate) fn take(&self) -> Vec<AcknowledgedBatch> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
