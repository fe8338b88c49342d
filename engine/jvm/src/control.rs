//! Calls of the worker over the control connection: many at once, each with a deadline.

use std::collections::HashMap;
use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use parking_lot::Mutex;
use serde_json::Value;
use volley_api::Error;

use crate::frames::{Frame, FrameError, Kind, Outgoing};
use crate::{java_error, notices};

/// How often a wait for an answer looks whether it is still wanted.
pub(crate) const GLANCE: Duration = Duration::from_millis(200);

/// Why a call has no answer.
#[derive(Clone, Debug)]
pub(crate) enum CallError {
    /// The host says why.
    Java(Error),
    /// It was not answered in time, or nobody wants the answer any more: it hangs, in the process, for ever perhaps.
    Hangs(Error),
    /// The process has ended.
    Ended(Error),
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Java(error) | CallError::Hangs(error) | CallError::Ended(error) => error,
        }
    }
}

type Answer = std::result::Result<Value, CallError>;

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    senders: HashMap<u64, Sender<Answer>>,
    ended: Option<Error>,
}

/// Calls that are under way in one process.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    writer: Mutex<Option<UnixStream>>,
    waiting: Mutex<Waiting>,
}

impl Calls {
    /// Calls go over this connection from now on.
    pub(crate) fn connect(&self, stream: UnixStream) {
        *self.writer.lock() = Some(stream);
    }

    /// Calls `name` with the members of `request`, and waits for the answer until `limit`, or until `is_abandoned`.
    ///
    /// # Errors
    /// That of the host; if it does not answer in time; if it has ended.
    pub(crate) fn call(
        &self,
        name: &str,
        mut request: Value,
        limit: Duration,
        is_abandoned: &dyn Fn() -> bool,
    ) -> Answer {
        let (sender, answer) = bounded(1);
        let id = self.expect_answer(sender)?;
        request["id"] = id.into();
        request["call"] = name.into();
        let deadline = Instant::now() + limit;
        if let Err(error @ FrameError::Length(_)) = self.send(&request) {
            self.waiting.lock().senders.remove(&id);
            return Err(CallError::Java(Error::data(format!("{name} is too large for a Java process: {error}"))));
        }
        // any other error is the first sign of the end of the process, which is told to all that wait
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match answer.recv_timeout(left.min(GLANCE)) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => return Err(CallError::Ended(gone())),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let why = if is_abandoned() {
                "was given up"
            } else if Instant::now() >= deadline {
                "did not return in time"
            } else {
                continue;
            };
            self.waiting.lock().senders.remove(&id);
            return Err(CallError::Hangs(Error::fatal(format!("{name} in a Java process {why}: it hangs there"))));
        }
    }

    fn expect_answer(&self, sender: Sender<Answer>) -> std::result::Result<u64, CallError> {
        let mut waiting = self.waiting.lock();
        if let Some(error) = &waiting.ended {
            return Err(CallError::Ended(error.clone()));
        }
        waiting.last += 1;
        let id = waiting.last;
        waiting.senders.insert(id, sender);
        Ok(id)
    }

    fn send(&self, request: &Value) -> std::result::Result<(), FrameError> {
        match &mut *self.writer.lock() {
            Some(stream) => Outgoing::json(Kind::Request, request).write(stream),
            None => Err(FrameError::Ended),
        }
    }

    fn answered(&self, answer: &Value) {
        let sender = answer["id"].as_u64().and_then(|id| self.waiting.lock().senders.remove(&id));
        let Some(sender) = sender else { return }; // nobody waits any more
        let _ = sender.send(match answer.get("error") {
            Some(error) => Err(CallError::Java(java_error::from_json(error))),
            None => Ok(answer["ok"].clone()),
        });
    }

    /// The process has ended: all calls fail with this.
    pub(crate) fn end(&self, error: &Error) {
        let mut waiting = self.waiting.lock();
        waiting.ended = Some(error.clone());
        for (_, sender) in waiting.senders.drain() {
            let _ = sender.send(Err(CallError::Ended(error.clone())));
        }
        drop(waiting);
        *self.writer.lock() = None;
    }
}

fn gone() -> Error {
    Error::fatal("a Java process is gone")
}

/// Reads the control connection of the process called `name` until it ends.
///
/// # Errors
/// If something comes that the protocol does not know.
pub(crate) fn read_control(stream: UnixStream, calls: &Calls, name: &str) -> std::result::Result<(), FrameError> {
    let mut stream = BufReader::new(stream);
    loop {
        let frame = match Frame::read(&mut stream) {
            Ok(frame) => frame,
            // a process that is killed may be within a frame
            Err(FrameError::Ended | FrameError::Truncated | FrameError::Io(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        match frame.kind {
            Kind::Answer => calls.answered(&frame.json()?),
            Kind::Notice => notices::log(&frame.json()?, name),
            kind => return Err(FrameError::Unexpected(kind)),
        }
    }
}
