//! A server that lives no longer than the test process, however that ends.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use super::wait_until;

/// Ports of servers: below those of connections, which begin at 32768.
const PORTS: Range<u16> = 10_000..32_000;

/// Runs the server and waits for its own standard input to close: that happens when the server is dropped, and also when
/// the test process is gone, even by SIGKILL. A process group of its own keeps signals for the tests away from it. Then kills
/// the server and, unless told to keep it, removes its directory. Ends with the server's status.
const SUPERVISOR: &str = r#"
directory=$1; output=$2; shift 2
cd "$directory" || exit 1
"$@" </dev/null >>"$output" 2>>log &
server=$!
echo $server >pid.new; mv pid.new pid
read -r what
kill -9 $server 2>/dev/null; wait $server 2>/dev/null; status=$?
cd /; [ "$what" = keep ] || rm -rf "$directory"
exit $status
"#;

pub(crate) struct ServerProcess {
    supervisor: Child,
    directory: PathBuf,
}

impl ServerProcess {
    /// Starts `command` in `directory`; its output goes to the file `log` there. The directory goes with the server.
    pub(crate) fn start(directory: &Path, command: &[String]) -> Self {
        Self::start_with_output(directory, "log", command, &[])
    }

    /// The same, with standard output in a file `output` of the directory, and more environment.
    pub(crate) fn start_with_output(
        directory: &Path,
        output: &str,
        command: &[String],
        environment: &[(&str, &str)],
    ) -> Self {
        // what an earlier server left there
        let _ = fs::remove_file(directory.join("pid"));
        let supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(directory)
            .arg(output)
            .args(command)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("could not start {}: {error}", command[0]));
        Self { supervisor, directory: directory.to_owned() }
    }

    /// The server's process.
    pub(crate) fn pid(&self) -> u32 {
        wait_until(Duration::from_secs(60), "a server has a pid", || {
            fs::read_to_string(self.directory.join("pid")).ok()?.trim().parse().ok()
        })
    }

    /// Sends it a signal, such as `TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args(["-s", signal, &self.pid().to_string()]).status().unwrap();
        assert!(status.success(), "could not send {signal} to process {}", self.pid());
    }

    /// Whether the server has not ended by itself.
    pub(crate) fn is_running(&self) -> bool {
        // one that has ended stays a zombie, since nobody has waited for it yet
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, fields)| !fields.trim_start().starts_with('Z'))
    }

    /// Kills the server and keeps its directory; the status with which it had ended, if it had.
    pub(crate) fn kill_and_keep_data(mut self) -> ExitStatus {
        if let Some(mut stdin) = self.supervisor.stdin.take() {
            stdin.write_all(b"keep\n").unwrap();
        }
        self.supervisor.wait().unwrap()
    }

    /// The end of what the server wrote, for the message of a failure.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // A second wait, after `kill_and_keep_data`, gives the same answer.
        let _ = self.supervisor.wait();
    }
}

/// A port that was free a moment ago and that nobody else is given in this process. It is none of those that Linux gives to
/// connections by itself, so that it is still free where a server starts later, or again.
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // processes of tests that run at the same time begin at places of their own
    let first = (std::process::id() % PORTS.len() as u32) as u16;
    let port = (0..PORTS.len()).find_map(|_| {
        let place = u32::from(first) * 61 + u32::from(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + (place % PORTS.len() as u32) as u16;
        TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    });
    port.expect("one of these ports is free")
}

/// Where `install.sh` puts a server.
pub(crate) fn installed(server: &str) -> PathBuf {
    let path = testbed().join(server);
    assert!(path.exists(), "{} is missing: run tests/testbed/install.sh, or `make test`", path.display());
    path
}

/// Where `install.sh` puts all servers.
pub(super) fn testbed() -> PathBuf {
    std::env::var_os("VOLLEY_TESTBED").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/volley/testbed"),
        PathBuf::from,
    )
}

/// A new directory for a server's data, which the supervisor removes.
pub(crate) fn data_directory(server: &str) -> PathBuf {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("volley-{server}-{}-{count}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    File::create(directory.join("log")).unwrap();
    directory
}

/// Whether the tests run as root, as which databases do not.
pub(super) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}
