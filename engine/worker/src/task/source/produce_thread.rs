//! The thread of the produce stage, from the side of the task's thread. It starts with the first batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::Sender;
use volley_api::{Error, Result};

use crate::task::control::Control;
use crate::task::panic_error;
use crate::task::sink::pipeline::STAGE_CAPACITY;
use crate::task::source::produce::produce_stage::{BatchToProduce, ProduceStage, ToProduce};
use crate::task::source::produce::transactions::Boundary;

/// Why no more batches follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// A bounded source is at its end.
    Finished,
    /// The task is to stop, or the stage has ended by itself.
    Stopped,
    /// The task has failed.
    Failed,
}

/// The produce stage and its thread.
pub(crate) struct ProduceThread(State);

enum State {
    /// No batch has come yet.
    NotStarted(Box<ProduceStage>),
    Started(Started),
    Joined,
}

struct Started {
    /// Whether places where transactions may end matter.
    is_transactional: bool,
    /// `None` once nothing more follows.
    output: Option<Sender<ToProduce>>,
    thread: JoinHandle<Result<bool>>,
    has_ended: Arc<AtomicBool>,
}

impl ProduceThread {
    /// A stage that is to run once it has something to do.
    pub(crate) fn new(stage: ProduceStage) -> Self {
        Self(State::NotStarted(Box::new(stage)))
    }

    /// Sends a batch to the stage, which starts with the first. Returns `false` if the stage has ended: [`join`] says why.
    ///
    /// # Errors
    /// If there is no thread for it.
    ///
    /// [`join`]: ProduceThread::join
    pub(crate) fn send(&mut self, batch: BatchToProduce) -> Result<bool> {
        self.0 = match std::mem::replace(&mut self.0, State::Joined) {
            State::NotStarted(stage) => State::Started(start(stage)?),
            state => state,
        };
        let State::Started(Started { output: Some(output), .. }) = &self.0 else { return Ok(false) };
        Ok(output.send(ToProduce::Batch(batch)).is_ok())
    }

    /// Notes a place where a transaction may end. Nothing is to be ended if no batch has come yet.
    pub(crate) fn mark(&self, place: Boundary) {
        if let State::Started(Started { output: Some(output), is_transactional: true, .. }) = &self.0 {
            // a stage that is gone says why when it is joined
            let _ = output.send(ToProduce::Boundary(place));
        }
    }

    /// Whether the stage was started and has ended.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(&self.0, State::Started(started) if started.has_ended.load(Ordering::Acquire))
    }

    /// Whether the stage was started and has not ended.
    pub(crate) fn is_running(&self) -> bool {
        matches!(&self.0, State::Started(started) if !started.has_ended.load(Ordering::Acquire))
    }

    /// No more batches follow. The stage ends once it has delivered and committed what it can.
    pub(crate) fn close(&mut self, reason: Close) {
        let State::Started(started) = &mut self.0 else { return };
        let Some(output) = started.output.take() else { return };
        // a stage that is gone says why when it is joined
        let _ = match reason {
            Close::Finished => output.send(ToProduce::Finished),
            Close::Failed => output.send(ToProduce::Failed),
            Close::Stopped => Ok(()),
        };
    }

    /// Waits for the end of the stage, after [`ProduceThread::close`]. Returns whether everything is delivered and committed.
    ///
    /// # Errors
    /// What the stage failed with.
    pub(crate) fn join(&mut self) -> Result<bool> {
        match std::mem::replace(&mut self.0, State::Joined) {
            State::Started(Started { thread, .. }) => thread.join().unwrap_or_else(|panic| Err(panic_error(&*panic))),
            State::NotStarted(_) | State::Joined => Ok(true),
        }
    }
}

fn start(stage: Box<ProduceStage>) -> Result<Started> {
    let (output, input) = crossbeam_channel::bounded(STAGE_CAPACITY);
    let has_ended = Arc::new(AtomicBool::new(false));
    let end = RingsAtEnd { has_ended: Arc::clone(&has_ended), control: Arc::clone(&stage.control) };
    let is_transactional = stage.transactions.is_some();
    let name = format!("produce-{}", stage.id);
    let produce = move || {
        let _end = end;
        stage.run(input)
    };
    let thread = std::thread::Builder::new()
        .name(name)
        .spawn(produce)
        .map_err(|error| Error::fatal("could not start a thread").with_source(error))?;
    Ok(Started { is_transactional, output: Some(output), thread, has_ended })
}

/// Wakes the task's thread when the stage ends, also by a panic.
struct RingsAtEnd {
    has_ended: Arc<AtomicBool>,
    control: Arc<Control>,
}

impl Drop for RingsAtEnd {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Release);
        self.control.ring();
    }
}
