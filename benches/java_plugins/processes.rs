//! What a worker costs together with the processes that it has started, by the operating system's own account. Linux only.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};

/// Ticks of `/proc/<pid>/stat` in a second: fixed by Linux's interface to programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// A process and all that it has started, which still run.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProcessTree {
    /// User and system time, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Resident memory of each at its highest, in bytes, added up.
    pub(crate) peak_bytes: u64,
    /// Memory now, in bytes; what processes share is counted once.
    pub(crate) bytes: u64,
    pub(crate) processes: usize,
}

impl ProcessTree {
    /// Looks at the process `root` and those below it.
    pub(crate) fn look(root: u32) -> Result<Self> {
        let mut tree = Self::default();
        for process in below(root)? {
            // a process that has just ended counts for nothing
            let Ok(ticks) = cpu_ticks(process) else { continue };
            tree.cpu_seconds += ticks as f64 / TICKS_PER_SECOND;
            tree.peak_bytes += kilobytes(&format!("/proc/{process}/status"), "VmHWM")? * 1024;
            tree.bytes += kilobytes(&format!("/proc/{process}/smaps_rollup"), "Pss")? * 1024;
            tree.processes += 1;
        }
        ensure!(tree.processes > 0, "process {root} has ended");
        Ok(tree)
    }
}

/// The process and its children, and theirs.
fn below(root: u32) -> Result<Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        let parent = fields(process).ok().and_then(|fields| fields.get(1)?.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(process);
    }
    let mut all = vec![root];
    let mut next = 0;
    while let Some(process) = all.get(next) {
        all.extend(children.get(process).into_iter().flatten().copied().collect::<Vec<_>>());
        next += 1;
    }
    Ok(all)
}

/// What `/proc/<pid>/stat` has behind the program's name, which may contain blanks and ends with the last bracket.
fn fields(process: u32) -> Result<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/<pid>/stat has another form")?;
    Ok(fields.split_whitespace().map(str::to_owned).collect())
}

fn cpu_ticks(process: u32) -> Result<u64> {
    let fields = fields(process)?;
    let ticks: Vec<u64> = fields.iter().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    ensure!(ticks.len() == 2, "/proc/<pid>/stat has no times");
    Ok(ticks.iter().sum())
}

fn kilobytes(path: &str, line: &str) -> Result<u64> {
    let text = fs::read_to_string(path)?;
    let value = text.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    value
        .and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok())
        .with_context(|| format!("{path} has no {line}"))
}
