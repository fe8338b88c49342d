//! Calls of the host: each on a thread of its own, so that one that waits holds up no other.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing::warn;
use volley_api::{
    ConnectorContext, Error, Result, SinkContext, SourceContext, SourceOffset, SourcePartition, is_null_map, null_map,
};

use crate::frames::{Frame, FrameError, Kind, Outgoing};
use crate::hosts::Vitals;
use crate::process::HostProcess;
use crate::process::spawn;
use crate::sink::group_calls;
use crate::sink_requests::SinkRequests;
use crate::{config_json, errant, java_error, notices};

/// Calls of one host that are under way at once; the next one waits. Each costs a thread that mostly waits for Kafka.
const AT_ONCE: usize = 64;
/// How often the silence of a host is measured.
const LISTEN: Duration = Duration::from_secs(1);

/// A task, for the calls of its host.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    Source(SourceContext),
    Sink(SinkContext, Arc<SinkRequests>),
}

impl Asker {
    fn connector(&self) -> &str {
        match self {
            Self::Source(context) => &context.connector,
            Self::Sink(context, _) => &context.connector,
        }
    }
}

/// The connector instances and tasks in one process, which its calls are made for.
#[derive(Debug, Default)]
pub(crate) struct Askers {
    connectors: Mutex<HashMap<String, ConnectorContext>>,
    tasks: Mutex<HashMap<String, Asker>>,
}

impl Askers {
    pub(crate) fn add_connector(&self, name: &str, context: ConnectorContext) {
        self.connectors.lock().insert(name.to_owned(), context);
    }

    pub(crate) fn remove_connector(&self, name: &str) {
        self.connectors.lock().remove(name);
    }

    pub(crate) fn add_task(&self, id: &str, asker: Asker) {
        self.tasks.lock().insert(id.to_owned(), asker);
    }

    pub(crate) fn remove_task(&self, id: &str) {
        self.tasks.lock().remove(id);
    }

    /// The names of the connectors that have an instance or tasks.
    pub(crate) fn connectors(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.connectors.lock().keys().cloned().collect();
        names.extend(self.tasks.lock().values().map(|asker| asker.connector().to_owned()));
        names
    }

    /// The process has ended: instances fail, as they have no call that would.
    pub(crate) fn end(&self, error: &Error) {
        let contexts: Vec<_> = self.connectors.lock().drain().map(|(_, context)| context).collect();
        for context in contexts {
            context.raise_error(error.clone());
        }
        self.tasks.lock().clear();
    }

    fn connector(&self, request: &Value) -> Result<ConnectorContext> {
        let name = request["connector"].as_str().unwrap_or_default();
        let context = self.connectors.lock().get(name).cloned();
        context.ok_or_else(|| Error::fatal(format!("connector `{name}` does not run in this process any more")))
    }

    fn task(&self, request: &Value) -> Result<Asker> {
        let id = request["task"].as_str().unwrap_or_default();
        let asker = self.tasks.lock().get(id).cloned();
        asker.ok_or_else(|| Error::fatal(format!("task `{id}` does not run in this process any more")))
    }

    fn sink(&self, request: &Value) -> Result<SinkContext> {
        match self.task(request)? {
            Asker::Sink(context, _) => Ok(context),
            Asker::Source(context) => {
                Err(Error::fatal(format!("task {} of `{}` is not a sink's", context.task, context.connector)))
            }
        }
    }

    fn answer(&self, request: &Value) -> Result<Value> {
        match request["call"].as_str().unwrap_or_default() {
            "OFFSET_READ" => self.offsets(request),
            "CONFIGS" => {
                let config = match self.task(request)? {
                    Asker::Source(context) => context.configs()?,
                    Asker::Sink(context, _) => context.configs()?,
                };
                Ok(config_json::to_json(&config))
            }
            "ERRANT" => errant::report(request, &self.sink(request)?),
            "COMMITTED" => group_calls::committed(request, &self.sink(request)?),
            "GROUP" => group_calls::metadata(&self.sink(request)?),
            "RECONFIGURE" => {
                self.connector(request)?.request_task_reconfiguration();
                Ok(json!({}))
            }
            "RAISE_ERROR" => {
                self.connector(request)?.raise_error(java_error::from_json(&request["error"]));
                Ok(json!({}))
            }
            call => Err(Error::fatal(format!("the worker knows no call `{call}`"))),
        }
    }

    /// By the context of a task where there is one: it sees what the tasks before it have stored.
    fn offsets(&self, request: &Value) -> Result<Value> {
        let name = request["connector"].as_str().unwrap_or_default();
        let partitions: Vec<Option<SourcePartition>> = serde_json::from_value(request["partitions"].clone())
            .map_err(|error| Error::fatal("source partitions have to be objects").with_source(error))?;
        let partitions: Vec<_> = partitions.into_iter().map(|partition| partition.unwrap_or_else(null_map)).collect();
        let task = self.tasks.lock().values().find_map(|asker| match asker {
            Asker::Source(context) if context.connector == name => Some(context.clone()),
            _ => None,
        });
        let offsets: Vec<Option<SourceOffset>> = match task {
            Some(context) => context.offsets(&partitions)?,
            None => self.connector(request)?.offsets(&partitions)?,
        };
        let offsets = offsets.into_iter().map(|offset| offset.filter(|offset| !is_null_map(offset)));
        Ok(json!(offsets.collect::<Vec<_>>()))
    }

    /// A notice of what a task asks for outside of its lane.
    fn notice(&self, notice: &Value) {
        match self.task(notice) {
            Ok(Asker::Sink(context, requests)) => requests.apply(&notice["requests"], &context),
            Ok(Asker::Source(_)) => warn!(target: "volley_jvm", "request of a sink task by a source's"),
            Err(error) => warn!(target: "volley_jvm", %error, "request of a Java task without effect"),
        }
    }
}

/// Reads the call-back connection of a process.
pub(crate) struct CallbackReader {
    process: Arc<HostProcess>,
    reader: UnixStream,
    writer: Arc<Mutex<UnixStream>>,
    free: (Sender<()>, Receiver<()>),
    last_beat: Instant,
    is_dumped: bool,
}

impl CallbackReader {
    /// # Errors
    /// If the connection cannot be read.
    pub(crate) fn new(process: Arc<HostProcess>, stream: UnixStream) -> std::result::Result<Self, FrameError> {
        let writer = Arc::new(Mutex::new(stream.try_clone()?));
        let listen = LISTEN.min(process.patience().silence_until_dump);
        stream.set_read_timeout(Some(listen))?;
        let (last_beat, free) = (Instant::now(), bounded(AT_ONCE));
        Ok(Self { process, reader: stream, writer, free, last_beat, is_dumped: false })
    }

    /// Reads until the process has ended.
    pub(crate) fn run(mut self) {
        loop {
            let frame = match Frame::read(&mut self) {
                Ok(frame) => frame,
                Err(FrameError::Ended | FrameError::Truncated | FrameError::Io(_)) => return,
                Err(error) => return self.broken(&error),
            };
            let body = match frame.json() {
                Ok(body) => body,
                Err(error) => return self.broken(&error),
            };
            match frame.kind {
                Kind::Request => self.answer(body),
                Kind::Notice => self.notice(&body),
                kind => return self.broken(&FrameError::Unexpected(kind)),
            }
        }
    }

    fn broken(&self, error: &FrameError) {
        self.process.kill(&format!("its call-back connection broke: {error}"));
    }

    fn notice(&mut self, notice: &Value) {
        match notice["notice"].as_str() {
            Some("BEAT") => {
                (self.last_beat, self.is_dumped) = (Instant::now(), false);
                self.process.has_beaten(Vitals::of_beat(notice));
            }
            Some("REQUESTS") => self.process.askers().notice(notice),
            _ => notices::log(notice, self.process.name()),
        }
    }

    fn answer(&self, request: Value) {
        let (process, writer, done) = (Arc::clone(&self.process), Arc::clone(&self.writer), self.free.1.clone());
        if self.free.0.send(()).is_err() {
            return;
        }
        let answered = spawn("java-call", move || {
            let mut answer = match process.askers().answer(&request) {
                Ok(ok) => json!({ "ok": ok }),
                Err(error) => json!({ "error": java_error::to_json(&error) }),
            };
            answer["id"] = request["id"].clone();
            // a process that does not take it has ended, or will be killed for its silence
            let _ = Outgoing::json(Kind::Answer, &answer).write(&mut *writer.lock());
            let _ = done.recv();
        });
        if let Err(error) = answered {
            self.process.kill(&format!("a thread for its call could not be started: {error}"));
        }
    }

    /// Looks how long the host has been silent.
    fn listen(&mut self) -> io::Result<()> {
        let (silence, patience) = (self.last_beat.elapsed(), self.process.patience());
        if silence >= patience.silence_until_kill {
            self.process.kill(&format!("it gave no sign of life for {} s", silence.as_secs()));
            return Err(io::ErrorKind::TimedOut.into());
        }
        if silence >= patience.silence_until_dump && !self.is_dumped {
            warn!(target: "volley_jvm", java = self.process.name(), "no sign of life from a Java process: its threads follow");
            self.process.dump_threads();
            self.is_dumped = true;
        }
        Ok(())
    }
}

impl Read for CallbackReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.listen()?,
                outcome => return outcome,
            }
        }
    }
}
