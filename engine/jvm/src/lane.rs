//! A connection of one task: one request at a time, whose answer may take for ever, but not longer than it is wanted.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use serde_json::Value;

use crate::control::GLANCE;
use crate::frames::{Frame, FrameError, Kind, Outgoing};

/// Answers are read in pieces of this size.
const BUFFER: usize = 64 * 1024;

#[derive(Debug, Default)]
struct Expected {
    last: u64,
    senders: HashMap<u64, Sender<UnixStream>>,
}

/// Lanes that are to be opened by the host of one process.
#[derive(Debug, Default)]
pub(crate) struct LaneSockets(Mutex<Expected>);

/// A lane that is to be opened.
#[derive(Debug)]
pub(crate) struct ExpectedLane {
    /// Its number, for the host.
    pub(crate) number: u64,
    arrival: Receiver<UnixStream>,
}

impl LaneSockets {
    /// One more.
    pub(crate) fn expect(&self) -> ExpectedLane {
        let (sender, arrival) = bounded(1);
        let mut expected = self.0.lock();
        expected.last += 1;
        let number = expected.last;
        expected.senders.insert(number, sender);
        ExpectedLane { number, arrival }
    }

    /// The host has opened one. One that nobody expects is closed.
    pub(crate) fn arrived(&self, number: u64, stream: UnixStream) {
        if let Some(sender) = self.0.lock().senders.remove(&number) {
            let _ = sender.send(stream);
        }
    }

    /// None will come any more.
    pub(crate) fn end(&self) {
        self.0.lock().senders.clear();
    }
}

impl ExpectedLane {
    /// The lane, once it is open; `None` if it does not come in time.
    pub(crate) fn open(self, limit: Duration) -> Option<Lane> {
        let stream = self.arrival.recv_timeout(limit).ok()?;
        Lane::new(stream).ok()
    }
}

/// Why a call over a lane has no answer.
#[derive(Debug)]
pub(crate) enum LaneError {
    /// What the host says of its failure.
    Failed(Value),
    /// Nobody wants the answer any more.
    Abandoned,
    /// The connection ended, and with it the process.
    Ended,
    /// The answer is not what the protocol says.
    Broken(FrameError),
}

/// An open lane. After any error but [`LaneError::Failed`] it is of no use any more.
#[derive(Debug)]
pub(crate) struct Lane {
    stream: BufReader<UnixStream>,
}

/// A frame of an answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Others follow.
    Part(Frame),
    /// The last one.
    Done(Value),
}

impl Lane {
    fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(GLANCE))?;
        stream.set_write_timeout(Some(GLANCE))?;
        Ok(Self { stream: BufReader::with_capacity(BUFFER, stream) })
    }

    /// Sends `request` and waits for its answer, until `is_abandoned`.
    ///
    /// # Errors
    /// See [`LaneError`].
    pub(crate) fn call(&mut self, request: Outgoing, is_abandoned: &dyn Fn() -> bool) -> Result<Value, LaneError> {
        self.send(request, is_abandoned)?;
        self.await_answer(is_abandoned)
    }

    /// Waits for the answer to what was sent, where it is one frame.
    ///
    /// # Errors
    /// See [`LaneError`].
    pub(crate) fn await_answer(&mut self, is_abandoned: &dyn Fn() -> bool) -> Result<Value, LaneError> {
        match self.receive(is_abandoned)? {
            Answer::Done(end) => Ok(end),
            Answer::Part(frame) => Err(LaneError::Broken(FrameError::Unexpected(frame.kind))),
        }
    }

    /// Sends a request, whose answer is to be received before the next one.
    ///
    /// # Errors
    /// See [`LaneError`].
    pub(crate) fn send(&mut self, request: Outgoing, is_abandoned: &dyn Fn() -> bool) -> Result<(), LaneError> {
        self.watched(is_abandoned, |stream| request.write(stream))
    }

    /// Waits for the next frame of the answer, until `is_abandoned`.
    ///
    /// # Errors
    /// See [`LaneError`].
    pub(crate) fn receive(&mut self, is_abandoned: &dyn Fn() -> bool) -> Result<Answer, LaneError> {
        let frame = self.watched(is_abandoned, |stream| Frame::read(stream))?;
        let kind = frame.kind;
        if !matches!(kind, Kind::Done | Kind::Failed) {
            return Ok(Answer::Part(frame));
        }
        let end = frame.json().map_err(LaneError::Broken)?;
        if self.has_more() {
            return Err(LaneError::Broken(FrameError::Unexpected(kind)));
        }
        if kind == Kind::Done { Ok(Answer::Done(end)) } else { Err(LaneError::Failed(end)) }
    }

    /// Whether more of the answer has arrived: the next frame is there, or on its way.
    pub(crate) fn has_more(&self) -> bool {
        !self.stream.buffer().is_empty()
    }

    fn watched<T>(
        &mut self,
        is_abandoned: &dyn Fn() -> bool,
        operation: impl FnOnce(&mut Watched<'_>) -> Result<T, FrameError>,
    ) -> Result<T, LaneError> {
        let mut watched = Watched { stream: &mut self.stream, is_abandoned, given_up: false };
        operation(&mut watched).map_err(|error| match error {
            _ if watched.given_up => LaneError::Abandoned,
            FrameError::Ended | FrameError::Truncated | FrameError::Io(_) => LaneError::Ended,
            error => LaneError::Broken(error),
        })
    }
}

/// A stream whose waits look at times whether they are still wanted.
struct Watched<'a> {
    stream: &'a mut BufReader<UnixStream>,
    is_abandoned: &'a dyn Fn() -> bool,
    given_up: bool,
}

impl Watched<'_> {
    fn patiently(
        &mut self,
        mut operation: impl FnMut(&mut BufReader<UnixStream>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        loop {
            match operation(self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if (self.is_abandoned)() {
                        self.given_up = true;
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                outcome => return outcome,
            }
        }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.patiently(|stream| stream.read(into))
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.patiently(|stream| stream.get_mut().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
