//! A host for tests: it speaks the protocol from threads of the test, beside a shell that stands for its process.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use volley_api::{ConfigMap, Error, OwnChain, Result};

use crate::frames::{Frame, Kind, Outgoing};
use crate::hosts::LogLevels;
use crate::java_error;
use crate::process::{Launch, Patience};
use crate::runtime::JavaRuntime;
use crate::settings::JavaSettings;

/// What a fake host answers to a call or to a frame.
pub(crate) enum Reply {
    Ok(Value),
    Fails(Error),
    /// Frames, as they are.
    Frames(Vec<Outgoing>),
    /// Nothing, for ever.
    Hangs,
    /// It ends at once, with an exhausted heap.
    Dies,
}

type OnCall = Box<dyn Fn(&str, &Value) -> Reply + Send + Sync>;
type OnFrame = Box<dyn Fn(&str, &Frame) -> Reply + Send + Sync>;

struct Script {
    on_call: OnCall,
    on_frame: OnFrame,
    says_hello: bool,
    beats: bool,
    has_received: Mutex<Vec<String>>,
    starts: AtomicUsize,
    directory: TempDir,
    /// The heaps that processes were asked to start with.
    heaps: Mutex<Vec<String>>,
    /// Call-back connections of the processes that were started.
    callbacks: Mutex<Vec<UnixStream>>,
}

/// Starts fake hosts.
#[derive(Clone)]
pub(crate) struct FakeHost(Arc<Script>);

/// Limits for tests: what is waited for happens at once, or never.
pub(crate) const IMPATIENT: Patience = Patience {
    hello: Duration::from_millis(300),
    silence_until_dump: Duration::from_millis(200),
    silence_until_kill: Duration::from_millis(600),
    scan: Duration::from_millis(300),
    exit: Duration::from_secs(5),
    idle: Duration::from_millis(100),
};

/// Waits until `is_so`.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

impl FakeHost {
    /// One that answers calls and frames so.
    pub(crate) fn new(
        on_call: impl Fn(&str, &Value) -> Reply + Send + Sync + 'static,
        on_frame: impl Fn(&str, &Frame) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::of(Box::new(on_call), Box::new(on_frame), true, true)
    }

    /// One that connects, if `says_hello`, and then gives no sign of life.
    pub(crate) fn silent(says_hello: bool) -> Self {
        Self::of(Box::new(|_, _| Reply::Hangs), Box::new(|_, _| Reply::Hangs), says_hello, false)
    }

    fn of(on_call: OnCall, on_frame: OnFrame, says_hello: bool, beats: bool) -> Self {
        Self(Arc::new(Script {
            on_call,
            on_frame,
            says_hello,
            beats,
            has_received: Mutex::default(),
            starts: AtomicUsize::new(0),
            directory: tempfile::tempdir().expect("a directory for process ids"),
            heaps: Mutex::default(),
            callbacks: Mutex::default(),
        }))
    }

    /// Calls and frames in the order in which they came, without SCAN's and USE's.
    pub(crate) fn has_received(&self) -> Vec<String> {
        self.0.has_received.lock().clone()
    }

    /// The heap of the process that was started last.
    pub(crate) fn last_heap(&self) -> String {
        self.0.heaps.lock().last().cloned().unwrap_or_default()
    }

    /// How many processes were started.
    pub(crate) fn starts(&self) -> usize {
        self.0.starts.load(Ordering::SeqCst)
    }

    /// Whether a process that was started is there still.
    pub(crate) fn runs(&self, number: usize) -> bool {
        let pid = fs::read_to_string(self.pid_file(number)).expect("a process id");
        Path::new("/proc").join(pid.trim()).exists()
    }

    /// Makes a call of the host, and waits for its answer.
    pub(crate) fn call_worker(&self, mut request: Value) -> Value {
        request["id"] = json!(1);
        let mut stream = self.0.callbacks.lock().last().expect("a process").try_clone().expect("a socket");
        Outgoing::json(Kind::Request, &request).write(&mut stream).expect("the worker listens");
        Frame::read(&mut stream).expect("the worker answers").json().expect("JSON")
    }

    fn pid_file(&self, number: usize) -> PathBuf {
        self.0.directory.path().join(number.to_string())
    }

    /// Ends a process: with exit code 0 by TERM, with 3 by USR1.
    fn signal(&self, number: usize, signal: Signal) {
        wait_until("the shell runs", || fs::read_to_string(self.pid_file(number)).is_ok_and(|pid| pid.ends_with('\n')));
        let pid = fs::read_to_string(self.pid_file(number)).expect("a process id");
        let pid = pid.trim().parse().ok().and_then(Pid::from_raw).expect("a process id");
        let _ = kill_process(pid, signal);
    }

    fn connect(&self, socket: &Path, hello: &Value) -> UnixStream {
        let mut stream = UnixStream::connect(socket).expect("the worker listens");
        Outgoing::json(Kind::Hello, hello).write(&mut stream).expect("the worker reads");
        stream
    }

    fn run(&self, number: usize, socket: &Path, token: &str) {
        let hello = |role: &str| json!({"protocol": 1, "token": token, "role": role, "java": "17.0.15"});
        let mut control = self.connect(socket, &hello("control"));
        let callback = self.connect(socket, &hello("callback"));
        self.0.callbacks.lock().push(callback.try_clone().expect("a socket"));
        if self.0.beats {
            let mut beats = callback;
            let beat = json!({"notice": "BEAT", "heap_used": 1, "heap_max": 2, "threads": 3, "gc_ms": 4, "cpu_ms": 5});
            thread::spawn(move || {
                while Outgoing::json(Kind::Notice, &beat).write(&mut beats).is_ok() {
                    thread::park_timeout(Duration::from_millis(50));
                }
            });
        }
        while let Ok(frame) = Frame::read(&mut control) {
            let request = frame.json().expect("a request is JSON");
            let call = request["call"].as_str().expect("a call").to_owned();
            if !matches!(call.as_str(), "SCAN" | "USE") {
                self.0.has_received.lock().push(call.clone());
            }
            let reply = (self.0.on_call)(&call, &request);
            if call == "TASK_NEW" {
                self.open_lanes(number, socket, token, &request);
            }
            let answer = match reply {
                Reply::Ok(ok) => json!({"id": request["id"], "ok": ok}),
                Reply::Fails(error) => json!({"id": request["id"], "error": java_error::to_json(&error)}),
                Reply::Dies => {
                    self.signal(number, Signal::USR1);
                    continue;
                }
                Reply::Hangs | Reply::Frames(_) => continue,
            };
            let is_exit = call == "EXIT" && answer.get("ok").is_some();
            let _ = Outgoing::json(Kind::Answer, &answer).write(&mut control);
            if is_exit {
                self.signal(number, Signal::TERM);
            }
        }
    }

    fn open_lanes(&self, number: usize, socket: &Path, token: &str, request: &Value) {
        for lane in [&request["lane"], &request["commit_lane"], &request["prepare_lane"]]
            .into_iter()
            .filter(|lane| !lane.is_null())
        {
            let hello = json!({"protocol": 1, "token": token, "role": "lane", "lane": lane});
            let mut stream = self.connect(socket, &hello);
            let (this, task) = (self.clone(), request["task"].as_str().expect("a task").to_owned());
            thread::spawn(move || {
                while let Ok(frame) = Frame::read(&mut stream) {
                    this.0.has_received.lock().push(format!("{:?}", frame.kind));
                    let frames = match (this.0.on_frame)(&task, &frame) {
                        Reply::Ok(done) => vec![Outgoing::json(Kind::Done, &done)],
                        Reply::Fails(error) => {
                            let failed = json!({"error": java_error::to_json(&error), "requests": {}, "rejected": []});
                            vec![Outgoing::json(Kind::Failed, &failed)]
                        }
                        Reply::Frames(frames) => frames,
                        Reply::Hangs => continue,
                        Reply::Dies => {
                            this.signal(number, Signal::USR1);
                            continue;
                        }
                    };
                    let mut frames = VecDeque::from(frames);
                    while frames.pop_front().is_some_and(|frame| frame.write(&mut stream).is_ok()) {}
                }
            });
        }
    }
}

impl Launch for FakeHost {
    fn command(&self, _: &str, socket: &Path, token: &str) -> Result<Command> {
        let number = self.0.starts.fetch_add(1, Ordering::SeqCst);
        if self.0.says_hello {
            let (this, socket, token) = (self.clone(), socket.to_owned(), token.to_owned());
            thread::spawn(move || this.run(number, &socket, &token));
        }
        let mut command = Command::new("sh");
        // it ends with the test's process, and does not spin meanwhile
        let script = "trap 'exit 0' TERM; trap 'echo no room >&2; exit 3' USR1; trap 'echo all threads >&2' QUIT
            echo $$ > \"$0\"
            while kill -0 $PPID 2>&-; do sleep 1 >&- 2>&- & wait $!; done";
        command.arg("-c").arg(script).arg(self.pid_file(number));
        Ok(command)
    }
}

/// Java whose processes are these, with a source and a sink on its plug-in path.
pub(crate) fn java(host: &FakeHost, cache_dir: Option<PathBuf>) -> Arc<JavaRuntime> {
    java_with(host, cache_dir, Patience::default())
}

/// The same, with other limits.
pub(crate) fn java_with(host: &FakeHost, cache_dir: Option<PathBuf>, patience: Patience) -> Arc<JavaRuntime> {
    let settings = JavaSettings {
        plugin_path: Vec::new(),
        discovery: "hybrid_warn".to_owned(),
        home: None,
        host_dir: PathBuf::new(),
        heap: "512m".to_owned(),
        options: Vec::new(),
        worker_file: None,
        cache_dir,
    };
    let host = host.clone();
    let launch = Arc::new(move |heap: &str| {
        host.0.heaps.lock().push(heap.to_owned());
        Arc::new(host.clone()) as Arc<dyn Launch>
    });
    Arc::new(JavaRuntime::with_launch(settings, launch, LogLevels::default(), patience))
}

/// What SCAN finds, and other calls answer that no test cares for.
pub(crate) fn usual(call: &str) -> Reply {
    Reply::Ok(match call {
        "SCAN" => json!({"broken": [], "plugins": [
            {"class": "a.Source", "kind": "source", "version": "1", "location": "/p/source"},
            {"class": "a.Sink", "kind": "sink", "version": "1", "location": "/p/sink"},
        ]}),
        "DESCRIBE" => json!({"keys": [{"name": "k", "type": "STRING", "required": true, "importance": "HIGH"}]}),
        "TASK_NEW" => json!({"version": "1", "wants_acknowledgements": true}),
        "TASK_CONFIGS" => json!({"task_class": "a.Task", "configs": [{"n": "0"}, {"n": "1", "gone": null}]}),
        _ => json!({}),
    })
}

/// What a task needs that converts by itself.
pub(crate) fn own_chain() -> OwnChain {
    OwnChain {
        connector_config: ConfigMap::from_iter([("connector.class".to_owned(), "a.Sink".to_owned())]),
        worker_config: ConfigMap::new(),
        max_poll_records: 500,
        exactly_once: false,
    }
}
