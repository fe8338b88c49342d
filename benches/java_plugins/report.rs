//! What the bench of Java connectors has found, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::rest::AtRest;
use crate::run::Moved;
use crate::workload::Workload;

const MB: f64 = 1e6;

/// The table of speed; the second part of a key says whether the worker is Volley's. The run with the median CPU time counts.
pub(crate) fn speed(moved: &BTreeMap<(Workload, bool), Vec<Moved>>) -> String {
    let runs = moved.values().map(Vec::len).max().unwrap_or_default();
    let mut text = format!(
        "One connector of one task, Java's classes in both workers: Volley with its host, and Kafka's own. From the creation of the \
         connector, the start of the host included; the CPU time is that of the worker with its host, as is the memory at its \
         highest. Median of {runs} by CPU time.\n\n\
         | | rows | rows/s | to Kafka's | CPU-s per million | to Kafka's | peak MB | Kafka's |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n"
    );
    for (workload, _) in moved.keys().filter(|(_, is_volley)| *is_volley) {
        let [Some(own), Some(java)] = [true, false].map(|is_volley| median(moved, (*workload, is_volley))) else {
            continue;
        };
        let _ = writeln!(
            text,
            "| {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} |",
            workload.label(),
            own.rows,
            own.rows_per_second(),
            own.rows_per_second() / java.rows_per_second(),
            own.cpu_seconds_per_million(),
            own.cpu_seconds_per_million() / java.cpu_seconds_per_million(),
            own.peak_bytes as f64 / MB,
            java.peak_bytes as f64 / MB,
        );
    }
    text
}

/// The table of memory.
pub(crate) fn memory(connectors: usize, ways: &[AtRest]) -> String {
    let mut text = format!(
        "\n{connectors} FileStreamSources that have read a small file and wait for more; the memory of the worker and its hosts, \
         pages that processes share counted once:\n\n| | processes | MB |\n|---|---:|---:|\n"
    );
    for way in ways {
        let _ = writeln!(text, "| {} | {} | {:.0} |", way.label, way.processes, way.bytes as f64 / MB);
    }
    text
}

fn median(moved: &BTreeMap<(Workload, bool), Vec<Moved>>, key: (Workload, bool)) -> Option<Moved> {
    let mut runs = moved.get(&key)?.clone();
    runs.sort_by(|a, b| a.cpu_seconds_per_million().total_cmp(&b.cpu_seconds_per_million()));
    runs.get(runs.len() / 2).copied()
}
