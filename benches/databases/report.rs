//! What the databases bench has found, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::Contender;
use crate::measured_process::Cost;

const MB: f64 = 1e6;
/// Of CPU time to that of the floor.
const MOST_CPU: f64 = 1.3;
/// Of rows a second to those of the Java program.
const LEAST_SPEED: f64 = 3.0;
const MOST_MB: f64 = 150.0;

/// A run that moved all rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moved {
    pub(crate) cost: Cost,
    pub(crate) rows: u64,
}

impl Moved {
    /// User and system time for a million rows.
    pub(crate) fn cpu_seconds_per_million(&self) -> f64 {
        self.cost.cpu_seconds() * 1e6 / self.rows as f64
    }

    /// From the start of the process to its end.
    pub(crate) fn rows_per_second(&self) -> f64 {
        self.rows as f64 / self.cost.wall.as_secs_f64()
    }
}

/// The tables; of each contender, the run with the median CPU time counts.
pub(crate) fn markdown(rows: u64, moved: &BTreeMap<Contender, Vec<Moved>>) -> String {
    let runs = moved.values().map(Vec::len).max().unwrap_or_default();
    let mut text = format!(
        "{:.1} million rows of 12 columns; PostgreSQL, the broker and the contender share the machine, and the CPU time is that of the \
         contender. Median of {runs} by CPU time; peak memory is the highest of all runs; the time is from the start of the process \
         to its end.\n\n\
         | | CPU-s per million | rows/s | peak MB | CPU : floor |\n|---|---:|---:|---:|---:|\n",
        rows as f64 / 1e6
    );
    for contender in moved.keys().copied() {
        let Some(run) = median(moved, contender) else { continue };
        let _ = writeln!(
            text,
            "| {} | {:.2} | {:.0} | {:.0} | {} |",
            contender.label(),
            run.cpu_seconds_per_million(),
            run.rows_per_second(),
            peak_mb(moved, contender),
            cpu_ratio(moved, contender).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
        );
    }
    text.push_str("\n| aim | measured | limit | |\n|---|---:|---:|---|\n");
    for contender in [Contender::Read, Contender::ReadAvro, Contender::Insert, Contender::Upsert] {
        let label = contender.label();
        if let Some(ratio) = cpu_ratio(moved, contender) {
            aim(&mut text, &format!("CPU : floor, {label}"), ratio, &format!("≤ {MOST_CPU}"), ratio <= MOST_CPU);
            let peak = peak_mb(moved, contender);
            aim(&mut text, &format!("peak MB, {label}"), peak, &format!("≤ {MOST_MB}"), peak <= MOST_MB);
        }
    }
    for [own, java] in [[Contender::Insert, Contender::InsertJava], [Contender::Upsert, Contender::UpsertJava]] {
        if let (Some(own_run), Some(java_run)) = (median(moved, own), median(moved, java)) {
            let ratio = own_run.rows_per_second() / java_run.rows_per_second();
            let what = format!("rows/s : Java program, {}", own.label());
            aim(&mut text, &what, ratio, &format!("≥ {LEAST_SPEED}"), ratio >= LEAST_SPEED);
        }
    }
    text
}

fn aim(text: &mut String, what: &str, measured: f64, limit: &str, is_kept: bool) {
    let verdict = if is_kept { "kept" } else { "**missed**" };
    let _ = writeln!(text, "| {what} | {measured:.2} | {limit} | {verdict} |");
}

fn median(moved: &BTreeMap<Contender, Vec<Moved>>, contender: Contender) -> Option<Moved> {
    let mut runs = moved.get(&contender)?.clone();
    runs.sort_by(|a, b| a.cpu_seconds_per_million().total_cmp(&b.cpu_seconds_per_million()));
    runs.get(runs.len() / 2).copied()
}

fn cpu_ratio(moved: &BTreeMap<Contender, Vec<Moved>>, contender: Contender) -> Option<f64> {
    let [own, floor] = [contender, contender.floor()].map(|contender| median(moved, contender));
    Some(own?.cpu_seconds_per_million() / floor?.cpu_seconds_per_million())
}

fn peak_mb(moved: &BTreeMap<Contender, Vec<Moved>>, contender: Contender) -> f64 {
    let runs = moved.get(&contender).into_iter().flatten();
    runs.map(|run| run.cost.peak_bytes as f64).fold(0.0, f64::max) / MB
}
