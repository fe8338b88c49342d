//! The real `volley` binary as a child process, with configurations in a directory of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::testbed::{send, volley_binary, wait_until};

/// Lines of the log that a failed test shows.
const LAST_LINES: usize = 80;

/// A directory with the configurations and logs of one test.
pub(crate) struct Volley {
    dir: tempfile::TempDir,
}

/// A running `volley`.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    /// What earlier ones have written there.
    log_start: usize,
}

/// What `volley` left when it ended by itself.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) log: String,
}

impl Volley {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a properties file.
    pub(crate) fn file(&self, name: &str, lines: &[(&str, &str)]) -> PathBuf {
        let text: String = lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Writes a standalone worker's configuration with schemaless JSON.
    pub(crate) fn worker(&self, bootstrap_servers: &str, more: &[(&str, &str)]) -> PathBuf {
        let offsets = self.path("connect.offsets").display().to_string();
        let mut lines = vec![
            ("bootstrap.servers", bootstrap_servers),
            ("listeners", "http://127.0.0.1:0"),
            ("key.converter", "org.apache.kafka.connect.storage.StringConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter.schemas.enable", "false"),
            ("offset.storage.file.filename", &offsets),
            ("offset.flush.interval.ms", "500"),
            ("consumer.session.timeout.ms", "1500"),
            ("consumer.heartbeat.interval.ms", "300"),
        ];
        lines.extend_from_slice(more);
        self.file("worker.properties", &lines)
    }

    /// Starts `volley` with these arguments; its output goes to files.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, &[])
    }

    pub(crate) fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let mut command = Command::new(volley_binary());
        self.spawn(command.args(arguments).envs(environment.iter().copied()))
    }

    /// Starts `volley` by way of a program that becomes it, such as `nohup`.
    pub(crate) fn start_by(&self, program: &str, arguments: &[&str]) -> Running {
        self.spawn(Command::new(program).arg(volley_binary()).args(arguments))
    }

    fn spawn(&self, command: &mut Command) -> Running {
        let log = self.path("log");
        let log_start = fs::metadata(&log).map_or(0, |metadata| metadata.len() as usize);
        let child = command
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(File::create(self.path("stdout")).unwrap())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        Running { child, log, log_start }
    }

    /// Runs `volley` to its end.
    pub(crate) fn run(&self, within: Duration, arguments: &[&str]) -> Ended {
        self.run_with(within, arguments, &[])
    }

    pub(crate) fn run_with(&self, within: Duration, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
        let status = self.start_with(arguments, environment).ended(within);
        let stdout = fs::read_to_string(self.path("stdout")).unwrap();
        Ended { status, stdout, log: fs::read_to_string(self.path("log")).unwrap() }
    }
}

impl Running {
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Memory that it occupies now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
    }

    /// Threads that it has now.
    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().count()
    }

    /// Processor time that it has used so far.
    pub(crate) fn cpu_time(&self) -> Duration {
        // fields 14 and 15 of stat, in hundredths of a second
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self, within: Duration) -> ExitStatus {
        let deadline = std::time::Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(std::time::Instant::now() < deadline, "not ended within {within:?}; its log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it in order once it runs: before that a signal ends it at once.
    pub(crate) fn stop(mut self, within: Duration) {
        self.rest();
        self.terminate();
        let log = self.log.clone();
        let status = self.ended(within);
        assert!(status.success(), "{status}; its log:\n{}", fs::read_to_string(log).unwrap_or_default());
    }

    /// The address where REST listens, as the log says it.
    pub(crate) fn rest(&mut self) -> String {
        wait_until(Duration::from_secs(120), "REST is announced", || {
            let log = self.log();
            assert!(self.is_running(), "volley ended:\n{log}");
            // an earlier one listened elsewhere
            let own = log.get(self.log_start..)?;
            let start = own.rfind("http://127.0.0.1:")?;
            let url = own[start + 7..].split(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').next()?;
            (!url.ends_with(":0")).then(|| url.to_owned())
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("\"GET /")).collect();
            eprintln!("the end of its log:\n{}\n", lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"));
        }
        // it may have ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request to a worker; status and JSON body (null if there is none).
pub(crate) fn request(address: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    let answer = send(address, method, path, &[("Content-Type", "application/json")], Some(body.as_bytes())).unwrap();
    (answer.status, answer.json())
}

/// Waits until all tasks of a connector, so many, have given up; their traces.
pub(crate) fn failures(address: &str, connector: &str, tasks: usize) -> Vec<String> {
    wait_until(Duration::from_secs(120), "the tasks are FAILED", || {
        let (_, status) = request(address, "GET", &format!("/connectors/{connector}/status"), None);
        let failed = status["tasks"].as_array()?.iter().filter(|task| task["state"] == "FAILED");
        let traces: Vec<_> = failed.filter_map(|task| task["trace"].as_str().map(str::to_owned)).collect();
        (traces.len() == tasks).then_some(traces)
    })
}

/// Starts the tasks of a connector again that have failed.
pub(crate) fn restart_failed(address: &str, connector: &str) {
    let path = format!("/connectors/{connector}/restart?includeTasks=true&onlyFailed=true");
    let (status, answer) = request(address, "POST", &path, None);
    assert_eq!(status, 202, "{answer}");
}

/// All Parquet files below `dir`, sorted.
pub(crate) fn parquet_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(dir) = open.pop() {
        let Ok(entries) = dir.read_dir() else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
