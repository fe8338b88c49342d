//! What the operating system counts of this process, under the names that Prometheus' own client libraries use.

use super::exposition::Exposition;
use super::names;

/// Ticks per second of the times in `/proc`, which Linux fixes for programs.
const TICKS: f64 = 100.0;

/// Adds memory, CPU time and the time of the start. Nothing where the system has no `/proc`.
pub(crate) fn expose(to: &mut Exposition) {
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return };
    let Some(figures) = Figures::parse(&stat) else { return };
    to.add(&names::PROCESS_CPU, &[], figures.cpu_seconds);
    if let Some(bytes) = std::fs::read_to_string("/proc/self/status").ok().as_deref().and_then(resident_bytes) {
        to.add(&names::PROCESS_MEMORY, &[], bytes);
    }
    if let Some(boot) = std::fs::read_to_string("/proc/stat").ok().as_deref().and_then(boot_time) {
        to.add(&names::PROCESS_START, &[], boot + figures.started_after_boot);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Figures {
    cpu_seconds: f64,
    /// In seconds.
    started_after_boot: f64,
}

impl Figures {
    /// Reads a line of `/proc/[pid]/stat` (proc(5)). The name of the program, in parentheses, may hold anything.
    fn parse(stat: &str) -> Option<Self> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // the first of them is the third of the line
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self { cpu_seconds: (field(14)? + field(15)?) / TICKS, started_after_boot: field(22)? / TICKS })
    }
}

fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? * 1024.0)
}

fn boot_time(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_have_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 1200 1000000 25 18446744073709551615";
        let figures = Figures { cpu_seconds: 3.0, started_after_boot: 12.0 };
        assert_eq!(Figures::parse(stat), Some(figures));
        assert_eq!(Figures::parse("nonsense"), None);
        assert_eq!(resident_bytes("VmSize:\t 9 kB\nVmRSS:\t  100 kB\n"), Some(102_400.0));
        assert_eq!(boot_time("cpu 1 2\nbtime 1700000000\n"), Some(1_700_000_000.0));
    }
}
