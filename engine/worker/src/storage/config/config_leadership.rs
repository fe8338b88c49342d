//! The right to write the leader's records: it belongs to the worker that last began transactions in the group's name.

use std::time::Duration;

use parking_lot::Mutex;
use tracing::{info, warn};
use volley_api::{ConfigMap, Error, Result};
use volley_kafka::{LogEntry, TransactionalLogWriter};

/// Time limit for taking over.
const TAKE_OVER: Duration = Duration::from_secs(30);

const FENCED: &str = "Failed to write to config topic; this may be due to a transient error and the request can be safely \
                      retried";

/// Whether an error means that this worker was fenced as the leader.
pub(super) fn is_fencing(error: &Error) -> bool {
    error.to_string() == FENCED
}

#[derive(Debug, Default)]
struct Held {
    is_leader: bool,
    writer: Option<TransactionalLogWriter>,
}

/// A leader's right to write, if the group's leader writes in transactions.
#[derive(Debug)]
pub(super) struct ConfigLeadership {
    topic: String,
    properties: Properties,
    held: Mutex<Held>,
}

struct Properties(ConfigMap);

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ConfigLeadership {
    pub(super) fn new(topic: String, properties: ConfigMap) -> Self {
        Self { topic, properties: Properties(properties), held: Mutex::default() }
    }

    /// Takes the right from its previous owner, or gives it up.
    pub(super) fn set(&self, is_leader: bool) -> Result<()> {
        let mut held = self.held.lock();
        held.is_leader = is_leader;
        if !is_leader {
            held.writer = None;
            return Ok(());
        }
        self.writer(&mut held, TAKE_OVER).map(drop)
    }

    pub(super) fn give_up(&self) {
        *self.held.lock() = Held::default();
    }

    fn writer<'a>(&self, held: &'a mut Held, timeout: Duration) -> Result<&'a TransactionalLogWriter> {
        if held.writer.is_none() {
            held.writer = Some(TransactionalLogWriter::connect(&self.topic, &self.properties.0, timeout)?);
            info!(topic = self.topic, "this worker alone may write as the leader now");
        }
        held.writer.as_ref().ok_or_else(|| Error::fatal("the leader has no producer"))
    }

    /// Writes records in one transaction. After a failure the right is lost. The next write or the next
    /// [`ConfigLeadership::set`] takes it back.
    pub(super) fn write(&self, entries: &[LogEntry<'_>], timeout: Duration) -> Result<Vec<(i32, i64)>> {
        let mut held = self.held.lock();
        if !held.is_leader {
            return Err(Error::retriable("Cannot produce to config topic without claiming write privileges first"));
        }
        let written = self.writer(&mut held, timeout).and_then(|writer| writer.write(entries, timeout));
        written.map_err(|error| {
            held.writer = None;
            warn!(topic = self.topic, %error, "could not write as the leader");
            Error::retriable(FENCED)
                .with_exception("org.apache.kafka.connect.errors.ConnectException")
                .with_source(error)
        })
    }
}
