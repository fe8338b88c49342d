//! Puts whose records the host makes while it puts those before them.
//!
//! ```text
//!  announced ─ PREPARE n+1 ─► second lane: converters, transformations ─┐
//!  put of n  ─ PUT n ───────► main lane: put, … then ─ PUT_PREPARED n+1 ─► put
//! ```
//! The host converts on one of the two threads at a time, in order.

use std::sync::Arc;

use volley_api::{RawBatch, SinkBatch};

use super::put_frame;
use crate::frames::Outgoing;
use crate::hosted_task::{SecondLane, TaskError};

/// What was sent with PREPARE.
#[derive(Debug)]
struct Prepared {
    number: u64,
    batches: Vec<Arc<RawBatch>>,
}

/// The second lane of a sink task.
#[derive(Debug)]
pub(crate) struct Preparing {
    lane: SecondLane,
    last_number: u64,
    /// Whether the last PREPARE has not been answered.
    is_converting: bool,
    /// What will probably be put next.
    announced: Vec<Arc<RawBatch>>,
    prepared: Option<Prepared>,
}

impl Preparing {
    pub(crate) fn on(lane: SecondLane) -> Self {
        Self { lane, last_number: 0, is_converting: false, announced: Vec::new(), prepared: None }
    }

    /// Notes what will probably be put after the next put.
    pub(crate) fn announce(&mut self, next: &[SinkBatch]) {
        self.announced = raw(next);
    }

    /// The request that puts these. Alone they are converted where they are put, which is the shorter way.
    ///
    /// # Errors
    /// If the task is lost.
    pub(crate) fn put(&mut self, batches: &[SinkBatch]) -> Result<Outgoing, TaskError> {
        if are_same(&self.announced, batches) {
            self.announced.clear();
        }
        if let Some(prepared) = self.prepared.take()
            && are_same(&prepared.batches, batches)
        {
            return Ok(put_frame::put_prepared(prepared.number));
        }
        if self.announced.is_empty() {
            self.await_converted()?;
            return Ok(put_frame::put(&raw(batches)));
        }
        Ok(put_frame::put_prepared(self.prepare(&raw(batches))?))
    }

    /// Sends what was announced, while something is put.
    ///
    /// # Errors
    /// If the task is lost.
    pub(crate) fn prepare_announced(&mut self) -> Result<(), TaskError> {
        let batches = std::mem::take(&mut self.announced);
        if !batches.is_empty() {
            let number = self.prepare(&batches)?;
            self.prepared = Some(Prepared { number, batches });
        }
        Ok(())
    }

    fn prepare(&mut self, batches: &[Arc<RawBatch>]) -> Result<u64, TaskError> {
        self.await_converted()?;
        self.last_number += 1;
        self.lane.send(put_frame::prepare(self.last_number, batches))?;
        self.is_converting = true;
        Ok(self.last_number)
    }

    /// Waits until nothing is converted on the second lane.
    ///
    /// # Errors
    /// If the task is lost.
    pub(crate) fn await_converted(&mut self) -> Result<(), TaskError> {
        if std::mem::take(&mut self.is_converting) {
            self.lane.await_answer()?;
        }
        Ok(())
    }
}

pub(super) fn raw(batches: &[SinkBatch]) -> Vec<Arc<RawBatch>> {
    batches.iter().map(|batch| Arc::clone(&batch.raw)).collect()
}

/// Whether a request has been made of these batches.
pub(super) fn are_same(known: &[Arc<RawBatch>], batches: &[SinkBatch]) -> bool {
    known.len() == batches.len() && known.iter().zip(batches).all(|(known, given)| Arc::ptr_eq(known, &given.raw))
}
