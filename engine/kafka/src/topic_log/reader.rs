//! The one thread that reads a log.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use tracing::{debug, warn};

use super::positions::Positions;
use crate::consumer::NativeConsumer;

/// Time limit of a restart.
const SEEK: Duration = Duration::from_secs(5);

/// A record, as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Milliseconds since 1970-01-01 UTC; `None` = unknown.
    pub timestamp: Option<i64>,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value; `None` = tombstone.
    pub value: Option<&'a [u8]>,
}

/// Takes the records, on the log's thread. It MUST NOT read to the end of the same log: it would wait for itself.
pub trait LogListener: Send {
    /// The next record of its partition.
    fn record(&mut self, record: &LogRecord<'_>);

    /// Called when all records that were in the log when it was opened have been read.
    fn caught_up(&mut self) {}
}

/// The state that the reading thread shares with its waiting callers.
#[derive(Debug)]
pub(super) struct Reading {
    state: Mutex<ReadingState>,
    /// Signalled when the thread has read further or ended.
    progress: Condvar,
}

#[derive(Debug)]
struct ReadingState {
    positions: Positions,
    has_caught_up: bool,
    restart_asked: bool,
    is_stopping: bool,
    is_over: bool,
}

impl ReadingState {
    fn has_ended(&self) -> bool {
        self.is_stopping || self.is_over
    }
}

/// The reason why a wait did not reach its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotReached {
    Yet,
    Over,
}

impl Reading {
    pub(super) fn new(positions: Positions) -> Self {
        let state =
            ReadingState { positions, has_caught_up: false, restart_asked: false, is_stopping: false, is_over: false };
        Self { state: Mutex::new(state), progress: Condvar::new() }
    }

    pub(super) fn stop(&self) {
        self.state.lock().is_stopping = true;
        self.progress.notify_all();
    }

    pub(super) fn next_offsets(&self) -> Vec<i64> {
        self.state.lock().positions.next_offsets()
    }

    /// Waits until all records before these end offsets have been taken.
    pub(super) fn wait_for(&self, ends: &[i64], timeout: Duration) -> Result<(), NotReached> {
        let mut state = self.state.lock();
        state.positions.want(ends);
        let is_waiting = |state: &mut ReadingState| !state.positions.have_reached(ends) && !state.has_ended();
        self.progress.wait_while_for(&mut state, is_waiting, timeout);
        match &*state {
            state if state.has_ended() => Err(NotReached::Over),
            state if state.positions.have_reached(ends) => Ok(()),
            _ => Err(NotReached::Yet),
        }
    }

    /// Waits until all records of the beginning have been taken and the listener was notified.
    pub(super) fn wait_for_backlog(&self, timeout: Duration) -> Result<(), NotReached> {
        let mut state = self.state.lock();
        self.progress.wait_while_for(&mut state, |state| !state.has_caught_up && !state.has_ended(), timeout);
        match &*state {
            state if state.has_caught_up => Ok(()),
            state if state.has_ended() => Err(NotReached::Over),
            _ => Err(NotReached::Yet),
        }
    }

    /// Requests a restart of the fetches that met the end, but maybe too early.
    pub(super) fn ask_for_restarts(&self) {
        self.state.lock().restart_asked = true;
    }

    fn over(&self) {
        self.state.lock().is_over = true;
        self.progress.notify_all();
    }

    fn is_stopping(&self) -> bool {
        self.state.lock().is_stopping
    }
}

/// Reads until stopped.
pub(super) struct Reader {
    pub(super) topic: Arc<str>,
    pub(super) consumer: NativeConsumer,
    pub(super) reading: Arc<Reading>,
    pub(super) listener: Box<dyn LogListener>,
    /// Duration of one wait for records. A stop or a restart waits as long at most.
    pub(super) wait: Duration,
    /// The end offsets when the log was opened; `None` once they are reached.
    pub(super) backlog: Option<Vec<i64>>,
}

/// Notifies waiting callers when the thread ends, for whatever reason.
struct Over<'a>(&'a Reading);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.over();
    }
}

impl Reader {
    pub(super) fn run(mut self) {
        let reading = Arc::clone(&self.reading);
        let _over = Over(&reading);
        let mut last_failure = String::new();
        while !reading.is_stopping() {
            self.look_at_backlog();
            self.restart_if_asked();
            match self.consumer.poll(self.wait) {
                None => {}
                Some(Ok(message)) => {
                    last_failure.clear();
                    let (partition, offset) = (message.partition(), message.offset());
                    if reading.state.lock().positions.is_behind(partition, offset) {
                        warn!(topic = %self.topic, partition, offset, "topic begins anew: it was cut off, or deleted and made again");
                    }
                    if reading.is_stopping() {
                        return;
                    }
                    // the listener gets the record before waiting callers are released
                    tell(&mut *self.listener, &message);
                    reading.state.lock().positions.taken(partition, offset);
                    reading.progress.notify_all();
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    last_failure.clear();
                    self.consumer.context().connection.mark_up();
                    reading.state.lock().positions.end_met(partition);
                    reading.progress.notify_all();
                }
                Some(Err(error)) => self.report(&error, &mut last_failure),
            }
        }
    }

    fn look_at_backlog(&mut self) {
        let is_read = |backlog: &Vec<i64>| self.reading.state.lock().positions.have_reached(backlog);
        if self.backlog.as_ref().is_some_and(is_read) {
            self.backlog = None;
            self.listener.caught_up();
            self.reading.state.lock().has_caught_up = true;
            self.reading.progress.notify_all();
        }
    }

    fn restart_if_asked(&self) {
        let restarts = {
            let mut state = self.reading.state.lock();
            if !std::mem::take(&mut state.restart_asked) {
                return;
            }
            state.positions.restarts()
        };
        for restart in restarts {
            let outcome = self.consumer.seek(&self.topic, restart.partition, Offset::Offset(restart.from), SEEK);
            match outcome {
                Ok(()) => self.reading.state.lock().positions.restarted(restart),
                Err(error) => debug!(topic = %self.topic, partition = restart.partition, %error, "could not seek"),
            }
        }
    }

    /// The client itself retries every error, so each is logged once.
    fn report(&self, error: &KafkaError, last_failure: &mut String) {
        let text = error.to_string();
        if *last_failure == text || self.consumer.context().connection.is_broken() {
            return;
        }
        warn!(topic = %self.topic, %error, "could not read, retrying");
        *last_failure = text;
    }
}

fn tell(listener: &mut dyn LogListener, message: &impl Message) {
    listener.record(&LogRecord {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key(),
        value: message.payload(),
    });
}
