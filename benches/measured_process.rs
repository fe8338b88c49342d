//! A child process, and what it cost by the operating system's own account.
//!
//! CPU time is what the kernel adds to this process's `cutime` and `cstime` when the child is waited for: complete, and
//! without sampling. Memory is `VmHWM`, which only grows and is read until the child ends. Linux only.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Ticks of `/proc/<pid>/stat` in a second: fixed by Linux's interface to programs.
const TICKS_PER_SECOND: f64 = 100.0;
const MEMORY_EVERY: Duration = Duration::from_millis(20);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Looking whether the work is done costs something.
const DONE_EVERY: Duration = Duration::from_secs(1);
const LOG_TAIL_LINES: usize = 30;

/// What a process cost from its start to its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) user_seconds: f64,
    pub(crate) system_seconds: f64,
    pub(crate) peak_bytes: u64,
}

impl Cost {
    /// User and system time.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }
}

/// A running child; killed when dropped.
pub(crate) struct MeasuredProcess<'a> {
    child: Child,
    name: &'a str,
    log: &'a Path,
    started: Instant,
}

impl<'a> MeasuredProcess<'a> {
    /// Starts `command` with its output going to `log`.
    pub(crate) fn start(command: &mut Command, name: &'a str, log: &'a Path) -> Result<Self> {
        let output = File::create(log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("could not start {name}"))?;
        Ok(Self { child, name, log, started })
    }

    /// Waits for it to succeed. Nothing else may wait for a child of this process meanwhile.
    pub(crate) fn finish(self, within: Duration) -> Result<Cost> {
        self.finish_when(|| false, within)
    }

    /// Waits for it to succeed, or until its work `is_done`, and ends it then.
    pub(crate) fn finish_when(mut self, is_done: impl Fn() -> bool, within: Duration) -> Result<Cost> {
        let before = children_ticks()?;
        let mut peak_bytes = 0;
        let mut memory_due = Duration::ZERO;
        let mut look_due = Duration::ZERO;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break Some(status);
            }
            let elapsed = self.started.elapsed();
            if elapsed >= look_due {
                if is_done() {
                    self.child.kill()?;
                    self.child.wait()?;
                    break None;
                }
                look_due = elapsed + DONE_EVERY;
            }
            if elapsed >= memory_due {
                peak_bytes = self.memory("VmHWM").unwrap_or(peak_bytes);
                memory_due = elapsed + MEMORY_EVERY;
            }
            if elapsed > within {
                bail!("{} has not ended after {within:?}; its log:\n{}", self.name, self.log_tail());
            }
            thread::sleep(LOOK_EVERY);
        };
        let wall = self.started.elapsed();
        if let Some(status) = status.filter(|status| !status.success()) {
            bail!("{} ended with {status}; its log:\n{}", self.name, self.log_tail());
        }
        let after = children_ticks()?;
        let seconds = |after: u64, before: u64| (after - before) as f64 / TICKS_PER_SECOND;
        Ok(Cost {
            wall,
            user_seconds: seconds(after.0, before.0),
            system_seconds: seconds(after.1, before.1),
            peak_bytes,
        })
    }

    /// Time from the start until `GET /` at `127.0.0.1:port` is answered with 200.
    pub(crate) fn until_rest_answers(&mut self, port: u16, within: Duration) -> Result<Duration> {
        loop {
            if answers_get(port) {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}; its log:\n{}", self.name, self.log_tail());
            }
            if self.started.elapsed() > within {
                bail!("{} does not answer after {within:?}; its log:\n{}", self.name, self.log_tail());
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// A line of `/proc/<pid>/status` that counts memory, in bytes: `VmRSS`, `RssAnon`, `VmHWM`. An error if the process
    /// has ended.
    pub(crate) fn memory(&self, line: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        let kilobytes = value.and_then(|value| value.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        Ok(kilobytes.with_context(|| format!("the process has no {line}"))? * 1024)
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
    }
}

impl Drop for MeasuredProcess<'_> {
    fn drop(&mut self) {
        // both fail if it has ended, which is as well
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and system time of all children that were waited for, in ticks.
fn children_ticks() -> Result<(u64, u64)> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // the second field, the program's name, may contain blanks; it ends with the last bracket
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has another form")?;
    let mut ticks = fields.split_whitespace().skip(13).map(str::parse::<u64>);
    match (ticks.next(), ticks.next()) {
        (Some(Ok(user)), Some(Ok(system))) => Ok((user, system)),
        _ => bail!("/proc/self/stat has no times of children"),
    }
}

fn answers_get(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    let mut answer = [0; 12];
    let asked =
        stream.set_read_timeout(Some(Duration::from_secs(1))).and_then(|()| stream.write_all(request.as_bytes()));
    asked.and_then(|()| stream.read_exact(&mut answer)).is_ok() && answer.starts_with(b"HTTP/1.1 200")
}
