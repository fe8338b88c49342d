//! A process of which the worker knows what runs in it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use super::HostName;
use crate::process::HostProcess;

/// What a Java process of this worker is, has and does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaProcess {
    /// `connector:NAME`, `group:NAME`, or `discovery` for the one that looks for plug-ins and validates.
    pub name: String,
    /// The connectors that have an instance or tasks in it.
    pub connectors: Vec<String>,
    /// Its process id.
    pub pid: u32,
    /// Memory that it occupies; `None` where the system does not tell.
    pub resident_bytes: Option<u64>,
    /// Heap in use, garbage included.
    pub heap_used_bytes: u64,
    /// The most that its heap may be.
    pub heap_max_bytes: u64,
    /// Its threads.
    pub threads: u64,
    /// Processor time that it has used.
    pub cpu_ms: u64,
    /// Time that it has collected garbage for.
    pub gc_ms: u64,
}

/// A process that runs, or did until lately.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) name: HostName,
    pub(crate) process: Arc<HostProcess>,
    /// The number of the last change of log levels that it knows.
    pub(super) told_levels: Mutex<u64>,
    /// Whether it is being asked for the numbers of its plug-ins.
    pub(super) is_asked: AtomicBool,
    /// Whether it was named as one that does not answer that.
    pub(super) is_named: AtomicBool,
}

impl Host {
    pub(super) fn new(name: HostName, process: Arc<HostProcess>) -> Self {
        let (is_asked, is_named) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { name, process, told_levels: Mutex::new(0), is_asked, is_named }
    }

    /// What is known of it. `None` before its first beat.
    pub(super) fn describe(&self) -> Option<JavaProcess> {
        let vitals = self.process.vitals()?;
        let pid = self.process.pid();
        Some(JavaProcess {
            name: self.name.label(),
            connectors: self.connectors(),
            pid,
            resident_bytes: resident_bytes(pid),
            heap_used_bytes: vitals.heap_used,
            heap_max_bytes: vitals.heap_max,
            threads: vitals.threads,
            cpu_ms: vitals.cpu_ms,
            gc_ms: vitals.gc_ms,
        })
    }

    /// The connectors that it has: what it was started for counts while nothing has come in yet.
    pub(super) fn connectors(&self) -> Vec<String> {
        let mut names = self.process.askers().connectors();
        if let HostName::Connector(name) = &self.name {
            names.insert(name.clone());
        }
        names.into_iter().collect()
    }
}

fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
