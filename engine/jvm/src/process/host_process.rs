//! A running host: its threads, its connections, and its end.
//!
//! ```text
//!  accept thread ── HELLO ─┬─ control ───► control thread: answers of calls, notices
//!                          ├─ call-back ─► call-back thread: calls of the host, heartbeats
//!                          └─ lane ──────► whoever expects it
//!  wait thread: the end of the process, after which all calls fail
//! ```

use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use serde_json::json;
use tracing::{info, warn};
use volley_api::{Error, Result};

use super::exit;
use super::hello::{self, HelloError, Role};
use super::host_socket::HostSocket;
use super::life::Life;
use super::output::LastLines;
use super::{Launch, Patience};
use crate::callback::{Askers, CallbackReader};
use crate::control::{Calls, read_control};
use crate::frames::FrameError;
use crate::hosts::Vitals;
use crate::lane::LaneSockets;

/// How long the last words of a process that has ended may take.
const OUTPUT_LIMIT: Duration = Duration::from_secs(1);
/// What such a thread needs: they read frames and hand them on.
const STACK: usize = 256 * 1024;

/// A process of a host. It runs until it is killed or ended: dropping this does neither.
#[derive(Debug)]
pub(crate) struct HostProcess {
    /// What runs in it, as messages name it: "connector `c`".
    name: String,
    pid: Pid,
    patience: Patience,
    life: Life,
    socket: HostSocket,
    output: Arc<LastLines>,
    calls: Calls,
    askers: Askers,
    lanes: LaneSockets,
    vitals: Mutex<Option<Vitals>>,
}

/// Starts a thread of a process.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(run).map(drop)
}

impl HostProcess {
    /// Starts a process for `name`, and waits until it is there.
    ///
    /// # Errors
    /// If it cannot be started, does not connect in time or is refused, with what it last printed in the trace.
    pub(crate) fn start(name: &str, launch: &dyn Launch, patience: Patience) -> Result<Arc<Self>> {
        let socket = HostSocket::new()?;
        let mut command = launch.command(name, socket.path(), socket.token())?;
        command.env("VOLLEY_HOST_SOCKET", socket.path()).env("VOLLEY_HOST_TOKEN", socket.token());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| {
            let java = command.get_program().to_string_lossy();
            let advice = "install a Java 17 or newer, or set `volley.java.home` to its directory";
            Error::config(format!("could not start `{java}` for {name}: {advice}")).with_source(error)
        })?;
        let this = match Self::of(name, &mut child, socket, patience) {
            Ok(this) => this,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        this.spawn_threads(child)?;
        if this.life.await_hello(patience.hello) {
            info!(target: "volley_jvm", java = name, pid = this.pid.as_raw_nonzero().get(), "Java process started");
            return Ok(this);
        }
        this.kill(&format!("it did not connect to the worker within {} s", patience.hello.as_secs()));
        Err(this.await_failure())
    }

    fn of(name: &str, child: &mut Child, socket: HostSocket, patience: Patience) -> Result<Arc<Self>> {
        let streams = child.stdout.take().zip(child.stderr.take());
        let (stdout, stderr) = streams.ok_or_else(|| Error::fatal("a Java process has no output"))?;
        let output = LastLines::of(name, stdout, stderr).map_err(no_thread)?;
        Ok(Arc::new(Self {
            name: name.to_owned(),
            pid: Pid::from_child(child),
            patience,
            life: Life::default(),
            socket,
            output,
            calls: Calls::default(),
            askers: Askers::default(),
            lanes: LaneSockets::default(),
            vitals: Mutex::default(),
        }))
    }

    fn spawn_threads(self: &Arc<Self>, child: Child) -> Result<()> {
        let this = Arc::clone(self);
        // the thread that waits kills it otherwise: without one, nobody would
        spawn("java-wait", move || this.wait(child)).map_err(no_thread)?;
        let this = Arc::clone(self);
        spawn("java-accept", move || this.accept()).map_err(|error| {
            self.kill("a thread could not be started");
            no_thread(error)
        })
    }

    /// What runs in it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The worker's calls.
    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Who answers the host's calls.
    pub(crate) fn askers(&self) -> &Askers {
        &self.askers
    }

    /// The tasks' connections.
    pub(crate) fn lanes(&self) -> &LaneSockets {
        &self.lanes
    }

    /// Its process id. Once it has ended, that may be another's.
    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// What it said of itself last; `None` before its first beat.
    pub(crate) fn vitals(&self) -> Option<Vitals> {
        *self.vitals.lock()
    }

    /// It has said that of itself.
    pub(crate) fn has_beaten(&self, vitals: Vitals) {
        *self.vitals.lock() = Some(vitals);
    }

    /// Why it ended; `None` while it lives.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.life.ended()
    }

    /// Why it ended, for who has seen a connection end.
    pub(crate) fn await_failure(&self) -> Error {
        self.life.await_end(self.patience.exit).unwrap_or_else(|| {
            Error::fatal(format!("the Java process of {} closed a connection, although it runs", self.name))
        })
    }

    /// Waits for its end.
    pub(crate) fn await_end(&self, limit: Duration) -> bool {
        self.life.await_end(limit).is_some()
    }

    /// Kills it, and all processes that it has started.
    pub(crate) fn kill(&self, why: &str) {
        self.life.kill(why, || {
            let _ = kill_process_group(self.pid, Signal::KILL);
        });
    }

    /// Has it write what its threads do into the log.
    pub(crate) fn dump_threads(&self) {
        self.life.signal(|| {
            let _ = kill_process(self.pid, Signal::QUIT);
        });
    }

    /// Ends it in order: its shutdown hooks run, as long as it has patience for them.
    pub(crate) fn end(&self) {
        let asked = self.calls.call("EXIT", json!({}), self.patience.exit, &|| false);
        if asked.is_err() || !self.await_end(self.patience.exit) {
            self.kill("it did not end when it was asked to");
        }
    }

    fn wait(self: Arc<Self>, mut child: Child) {
        // without reaping it: until its group is killed, its id has to be its own
        while let Err(rustix::io::Errno::INTR) =
            waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {}
        let _ = kill_process_group(self.pid, Signal::KILL);
        let status = self.life.reap(|| child.wait());
        self.output.await_end(OUTPUT_LIMIT);
        let why = self.life.killed().unwrap_or_else(|| match status {
            Ok(status) => exit::in_words(status),
            Err(error) => format!("its exit status is not known: {error}"),
        });
        let error = self.ended(&why);
        self.life.end(error.clone());
        self.calls.end(&error);
        self.askers.end(&error);
        self.lanes.end();
        self.socket.close();
    }

    fn ended(&self, why: &str) -> Error {
        let printed = self.output.text();
        let why = match printed.contains("UnsupportedClassVersionError") {
            true => "its Java is older than 17: set `volley.java.home` to a newer one",
            false => why,
        };
        let error = Error::fatal(format!("the Java process of {} ended: {why}", self.name));
        if printed.is_empty() {
            return error;
        }
        let trace = format!("{}\nIt last printed:\n{printed}", error.trace());
        error.with_java_trace(trace)
    }

    fn accept(self: Arc<Self>) {
        loop {
            let stream = self.socket.accept();
            if self.failure().is_some() {
                return;
            }
            match stream.map(|stream| self.take(stream)) {
                Ok(Ok(())) => {}
                // anyone of this user may connect: that says nothing of the process
                Ok(Err(error @ (HelloError::Token | HelloError::Frame(_)))) => self.warn(&error),
                Ok(Err(error)) => {
                    self.warn(&error);
                    self.life.refuse(error.to_string());
                }
                Err(error) => return self.kill(&format!("its connections could not be accepted: {error}")),
            }
        }
    }

    fn warn(&self, error: &HelloError) {
        warn!(target: "volley_jvm", java = self.name, %error, "connection of a Java process refused");
    }

    fn take(self: &Arc<Self>, mut stream: UnixStream) -> std::result::Result<(), HelloError> {
        match hello::read(&mut stream, self.socket.token())? {
            Role::Control => {
                self.calls.connect(stream.try_clone().map_err(FrameError::from)?);
                let this = Arc::clone(self);
                spawn("java-control", move || this.read_control(stream)).map_err(FrameError::from)?;
                self.life.has_control();
            }
            Role::Callback => {
                let reader = CallbackReader::new(Arc::clone(self), stream)?;
                spawn("java-callback", move || reader.run()).map_err(FrameError::from)?;
                self.life.has_callbacks();
            }
            Role::Lane(number) => self.lanes.arrived(number, stream),
        }
        Ok(())
    }

    fn read_control(&self, stream: UnixStream) {
        if let Err(error) = read_control(stream, &self.calls, &self.name) {
            self.kill(&format!("its control connection broke: {error}"));
        } else if !self.await_end(self.patience.exit) {
            self.kill("it closed its control connection and did not end");
        }
    }

    /// How long it may be silent.
    pub(crate) fn patience(&self) -> Patience {
        self.patience
    }
}

fn no_thread(error: io::Error) -> Error {
    Error::fatal("could not start a thread for a Java process").with_source(error)
}
