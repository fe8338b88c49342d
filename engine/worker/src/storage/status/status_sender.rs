//! Sends status records in the background, in order. Retries each until it is stored or superseded.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing::{debug, error, warn};
use volley_api::{Error, Result};
use volley_kafka::{LogEntry, TopicLog};

/// Shortest and longest pause before a record is sent again.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(10);

/// Shortest and longest wait for acknowledgements.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);
const LONGEST_LOOK: Duration = Duration::from_millis(20);

/// A record in flight, by its key.
#[derive(Clone, Debug)]
struct OnItsWay {
    /// Distinguishes it from earlier and later records of the same key.
    sequence: u64,
    value: Option<Vec<u8>>,
    backoff: Duration,
    /// The time of the next attempt; `None` while one is in flight.
    again_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Sending {
    sequence: u64,
    latest: HashMap<String, OnItsWay>,
    is_stopping: bool,
}

/// Shared by the threads that put statuses and the sending thread.
#[derive(Debug)]
pub(super) struct StatusSender {
    log: Arc<TopicLog>,
    sending: Mutex<Sending>,
    changed: Condvar,
}

impl StatusSender {
    /// Starts the thread.
    ///
    /// # Errors
    /// `Fatal` if the thread cannot be started.
    pub(super) fn start(log: Arc<TopicLog>) -> Result<Arc<Self>> {
        let sender = Arc::new(Self { log, sending: Mutex::default(), changed: Condvar::new() });
        let run = Arc::clone(&sender);
        thread::Builder::new()
            .name("status sender".to_owned())
            .spawn(move || run.run())
            .map_err(|error| Error::fatal("could not start the thread that sends statuses").with_source(error))?;
        Ok(sender)
    }

    /// Sends a record; it supersedes an earlier record of that key that is not stored yet.
    pub(super) fn send(self: &Arc<Self>, key: String, value: Option<Vec<u8>>) {
        let sequence = {
            let mut sending = self.sending.lock();
            sending.sequence += 1;
            let sequence = sending.sequence;
            let record = OnItsWay { sequence, value: value.clone(), backoff: FIRST_RETRY, again_at: None };
            sending.latest.insert(key.clone(), record);
            sequence
        };
        self.hand_over(key, value.as_deref(), sequence);
    }

    fn hand_over(self: &Arc<Self>, key: String, value: Option<&[u8]>, sequence: u64) {
        // Weak: the writer holds this until the record has an outcome, and the sender holds the writer.
        let (sender, record) = (Arc::downgrade(self), key.clone());
        let told = move |fate: Result<(i32, i64)>| {
            if let Some(sender) = sender.upgrade() {
                sender.told(&record, sequence, fate.map(drop));
            }
        };
        self.log.writer().send(LogEntry { key: key.as_bytes(), value }, Box::new(told));
        self.changed.notify_all();
    }

    fn told(&self, key: &str, sequence: u64, fate: Result<()>) {
        let mut sending = self.sending.lock();
        let Some(record) = sending.latest.get_mut(key).filter(|record| record.sequence == sequence) else {
            return;
        };
        match fate {
            Err(error) if error.is_retriable() => {
                debug!(key, %error, "status was not stored, sending it again");
                record.again_at = Some(Instant::now() + record.backoff);
                record.backoff = (record.backoff * 2).min(LONGEST_RETRY);
            }
            Err(error) => {
                error!(key, %error, "status cannot be stored");
                sending.latest.remove(key);
            }
            Ok(()) => {
                sending.latest.remove(key);
            }
        }
        self.changed.notify_all();
    }

    /// Waits until all records sent so far are stored, given up or superseded.
    pub(super) fn flush(&self, timeout: Duration) {
        let mut sending = self.sending.lock();
        let upto = sending.sequence;
        let is_open = |sending: &mut Sending| {
            !sending.is_stopping && sending.latest.values().any(|record| record.sequence <= upto)
        };
        if self.changed.wait_while_for(&mut sending, is_open, timeout).timed_out() {
            warn!(topic = self.log.topic(), "not all statuses were stored in time");
        }
    }

    /// Stops the thread.
    pub(super) fn stop(&self) {
        self.sending.lock().is_stopping = true;
        self.changed.notify_all();
    }

    fn run(self: Arc<Self>) {
        let mut look = SHORTEST_LOOK;
        while let Some(due) = self.work() {
            look = if due.is_empty() { (look * 2).min(LONGEST_LOOK) } else { SHORTEST_LOOK };
            for (key, record) in due {
                self.hand_over(key, record.value.as_deref(), record.sequence);
            }
            match self.log.writer().in_flight() {
                0 => look = SHORTEST_LOOK,
                _ => self.log.writer().serve(look),
            }
        }
    }

    /// Sleeps until there is work. Returns the records to send again, `None` at the end.
    fn work(&self) -> Option<Vec<(String, OnItsWay)>> {
        let mut sending = self.sending.lock();
        loop {
            if sending.is_stopping {
                return None;
            }
            let now = Instant::now();
            let due = take_due(&mut sending, now);
            // The acknowledgement of a superseded record has to be taken, too.
            if !due.is_empty() || self.log.writer().in_flight() > 0 {
                return Some(due);
            }
            match sending.latest.values().filter_map(|record| record.again_at).min() {
                Some(next) => drop(self.changed.wait_until(&mut sending, next)),
                None => self.changed.wait(&mut sending),
            }
        }
    }
}

fn take_due(sending: &mut Sending, now: Instant) -> Vec<(String, OnItsWay)> {
    let due = sending.latest.iter_mut().filter(|(_, record)| record.again_at.is_some_and(|at| at <= now));
    let due = due.map(|(key, record)| {
        record.again_at = None;
        (key.clone(), record.clone())
    });
    due.collect()
}
