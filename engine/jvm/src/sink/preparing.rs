//! Puts whose records the host makes while it puts those before them.
//!
//! ```text
//!  announced ─ PREPARE n+1 ─► second lane: converters, transformations ─┐
//!  put of n  ─ PUT n ───────► main lane: put, … then ─ PUT_PREPARED n+1 ─► put
//! ```
//! The host converts on one of the two threads at a time, in order.

use volley_api::SinkBatch;

use super::put_frame;
use super::puts::Puts;
use crate::frames::Outgoing;
use crate::hosted_task::{SecondLane, TaskError};

/// The second lane of a sink task.
#[derive(Debug)]
pub(crate) struct Preparing {
    lane: SecondLane,
    last_number: u64,
    /// Whether the last PREPARE has not been answered.
    is_converting: bool,
    /// What will probably be put next.
    announced: Puts,
    /// What was sent with PREPARE, and under which number.
    prepared: Option<(u64, Puts)>,
}

impl Preparing {
    pub(crate) fn on(lane: SecondLane) -> Self {
        Self { lane, last_number: 0, is_converting: false, announced: Puts::default(), prepared: None }
    }

    /// Notes what will probably be put after the next put, unless it is known.
    pub(crate) fn announce(&mut self, next: &[SinkBatch], most_rows: usize) {
        if !self.prepared.as_ref().is_some_and(|(_, prepared)| prepared.are_of(next)) {
            self.announced = Puts::of(next, most_rows);
        }
    }

    /// The request that puts these. Alone they are converted where they are put, which is the shorter way.
    ///
    /// # Errors
    /// If the task is lost.
    pub(crate) fn put(&mut self, batches: &[SinkBatch], puts: &Puts) -> Result<Outgoing, TaskError> {
        if self.announced.are_of(batches) {
            self.announced = Puts::default();
        }
        if let Some((number, prepared)) = self.prepared.take()
            && prepared.are_of(batches)
        {
            return Ok(put_frame::put_prepared(number));
        }
        if self.announced.is_empty() {
            self.await_converted()?;
            return Ok(put_frame::put(puts));
        }
        Ok(put_frame::put_prepared(self.prepare(puts)?))
    }

    /// Sends what was announced, while something is put.
    ///
    /// # Errors
    /// If the task is lost.
    pub(crate) fn prepare_announced(&mut self) -> Result<(), TaskError> {
        let puts = std::mem::take(&mut self.announced);
        if !puts.is_empty() {
            let number = self.prepare(&puts)?;
            self.prepared = Some((number, puts));
        }
        Ok(())
    }

    fn prepare(&mut self, puts: &Puts) -> Result<u64, TaskError> {
        self.await_converted()?;
        self.last_number += 1;
        self.lane.send(put_frame::prepare(self.last_number, puts))?;
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
