//! A Connect worker, Kafka's own or Volley, as an external process with a directory of its own.
//!
//! Both are started on the same properties and asked in the same way, so that a test can say which of them it wants and
//! leave the rest alone.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{Answer, send};
use super::server_process::{ServerProcess, data_directory, free_port, installed};
use super::wait_until;
use super::worker_properties::WorkerProperties;

const READY: Duration = Duration::from_secs(90);
const ENDED: Duration = Duration::from_secs(60);
/// For tests: small, and soon up.
const SMALL_JVM: &[&str] = &["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/// As `connect-distributed.sh` does it.
const USUAL_JVM: &[&str] = &[
    "-Xms256M",
    "-Xmx2G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
];
const TAIL: usize = 30;
const PROPERTIES: &str = "worker.properties";

/// Whose worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Vendor {
    /// Kafka's own, 4.3.0.
    Java,
    /// The binary of this repository.
    Volley,
}

/// The mode in which a worker runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Standalone,
    Distributed,
}

/// A running worker; killed when dropped.
pub(crate) struct ConnectWorker {
    process: Option<ServerProcess>,
    directory: PathBuf,
    port: u16,
    vendor: Vendor,
    mode: Mode,
    /// As Kafka's own scripts start it, for benches.
    as_distributed: bool,
}

impl ConnectWorker {
    /// Starts a worker on these properties, to which it adds `listeners`; does not wait for it.
    pub(crate) fn launch(vendor: Vendor, mode: Mode, properties: &WorkerProperties) -> Self {
        Self::launch_with(vendor, mode, properties, false)
    }

    /// The same; a Java worker gets the options that Kafka's own scripts give it, and Volley's hosts know Kafka's tools as it does.
    pub(crate) fn launch_as_distributed(vendor: Vendor, mode: Mode, properties: &WorkerProperties) -> Self {
        Self::launch_with(vendor, mode, properties, true)
    }

    fn launch_with(vendor: Vendor, mode: Mode, properties: &WorkerProperties, as_distributed: bool) -> Self {
        let directory = data_directory("connect");
        let port = free_port();
        let mut text: String = properties.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        if !properties.iter().any(|(key, _)| *key == "listeners") {
            text.push_str(&format!("listeners=http://127.0.0.1:{port}\n"));
        }
        fs::write(directory.join(PROPERTIES), text).unwrap();
        let mut worker = Self { process: None, directory, port, vendor, mode, as_distributed };
        worker.launch_again();
        worker
    }

    /// Starts a worker and waits until it is ready to handle requests.
    pub(crate) fn start(vendor: Vendor, mode: Mode, properties: &WorkerProperties) -> Self {
        let worker = Self::launch(vendor, mode, properties);
        worker.await_ready();
        worker
    }

    /// Starts it again after [`ConnectWorker::stop`] or [`ConnectWorker::kill`], on the same properties and port.
    pub(crate) fn launch_again(&mut self) {
        let command = match self.vendor {
            Vendor::Java => java_command(self.mode, if self.as_distributed { USUAL_JVM } else { SMALL_JVM }),
            Vendor::Volley => volley_command(self.mode),
        };
        let tools = format!("{}/*", installed("connect-tests").display());
        let mut environment = vec![("VOLLEY_PROBES", "1")];
        if self.as_distributed {
            environment.push(("CLASSPATH", tools.as_str()));
        }
        self.process = Some(ServerProcess::start_with_output(&self.directory, "stdout", &command, &environment));
    }

    /// Waits until `GET /health` is 200: it has joined its group and read its topics.
    pub(crate) fn await_ready(&self) {
        wait_until(READY, "a worker is healthy", || {
            assert!(self.is_running(), "the {:?} worker has ended:\n{}", self.vendor, self.log_tail());
            let answer = send(&self.address(), "GET", "/health", &[], None).ok()?;
            (answer.status == 200).then_some(())
        });
    }

    /// SIGTERM, and waits for the end; stdout, log and directory stay.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.process().signal("TERM");
        let deadline = Instant::now() + ENDED;
        wait_until(ENDED * 2, "a worker ends after SIGTERM", || {
            // a Java worker that is told to stop just when it has started may never do so
            let is_stuck = self.vendor == Vendor::Java && Instant::now() >= deadline;
            (!self.is_running() || is_stuck).then_some(())
        });
        self.process.take().expect("it was running").kill_and_keep_data()
    }

    /// SIGKILL; stdout, log and directory stay.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("the worker is running").kill_and_keep_data();
    }

    /// SIGTERM, without waiting.
    pub(crate) fn terminate(&self) {
        self.process().signal("TERM");
    }

    /// Sends a signal, without waiting.
    pub(crate) fn signal(&self, name: &str) {
        self.process().signal(name);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(ServerProcess::is_running)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process().pid()
    }

    pub(crate) fn vendor(&self) -> Vendor {
        self.vendor
    }

    /// Where REST listens, which is also the worker's id.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A directory of the worker's own.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// What it has written to standard output, over all its lives, by lines: the records of tool connectors.
    pub(crate) fn stdout_lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.directory.join("stdout")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How much it has written to standard output, in bytes.
    pub(crate) fn stdout_length(&self) -> u64 {
        fs::metadata(self.directory.join("stdout")).map_or(0, |metadata| metadata.len())
    }

    /// Whole lines of standard output from this byte on.
    pub(crate) fn stdout_from(&self, start: u64) -> String {
        let mut bytes = Vec::new();
        let read = File::open(self.directory.join("stdout")).and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.read_to_end(&mut bytes)
        });
        if read.is_err() {
            return String::new();
        }
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Asks it; status and JSON body (null if there is none).
    pub(crate) fn ask(&self, method: &str, target: &str, body: Option<&Value>) -> (u16, Value) {
        let answer = self.try_ask(method, target, body);
        let answer = answer.unwrap_or_else(|| panic!("{method} {target}: no answer of {:?}", self.vendor));
        (answer.status, answer.json())
    }

    /// Asks it; none if it does not answer.
    pub(crate) fn try_ask(&self, method: &str, target: &str, body: Option<&Value>) -> Option<Answer> {
        let body = body.map(Value::to_string);
        let headers = [("Content-Type", "application/json")];
        let headers = if body.is_some() { &headers[..] } else { &[] };
        send(&self.address(), method, target, headers, body.as_ref().map(String::as_bytes)).ok()
    }

    fn process(&self) -> &ServerProcess {
        self.process.as_ref().expect("the worker is running")
    }

    /// The end of the log, without the requests of the test.
    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"GET /")).collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

impl Drop for ConnectWorker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let state = if self.is_running() { "running" } else { "ended" };
            eprintln!("{:?} worker {} ({state}):\n{}\n", self.vendor, self.address(), self.log_tail());
            // the whole log, for whoever looks into a failure
            if let Some(logs) = std::env::var_os("VOLLEY_TEST_LOGS") {
                let name = format!("{:?}-{}.log", self.vendor, self.port);
                let _ = fs::copy(self.directory.join("log"), PathBuf::from(logs).join(name));
            }
        }
        if self.process.is_none() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

fn java_command(mode: Mode, options: &[&str]) -> Vec<String> {
    let main = match mode {
        Mode::Standalone => "org.apache.kafka.connect.cli.ConnectStandalone",
        Mode::Distributed => "org.apache.kafka.connect.cli.ConnectDistributed",
    };
    let logging = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/testbed/connect-log4j2.properties");
    let class_path = format!("{}/*", installed("connect").display());
    let mut command: Vec<String> = vec!["java".to_owned()];
    command.extend(options.iter().map(|option| (*option).to_owned()));
    command.push(format!("-Dlog4j2.configurationFile={logging}"));
    command.extend(["-cp".to_owned(), class_path, main.to_owned(), PROPERTIES.to_owned()]);
    command
}

fn volley_command(mode: Mode) -> Vec<String> {
    let mode = match mode {
        Mode::Standalone => "standalone",
        Mode::Distributed => "distributed",
    };
    vec![volley_binary(), mode.to_owned(), PROPERTIES.to_owned()]
}

/// The program under test: cargo's, unless `VOLLEY_BINARY` names another build.
pub(crate) fn volley_binary() -> String {
    std::env::var("VOLLEY_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_volley").to_owned())
}
