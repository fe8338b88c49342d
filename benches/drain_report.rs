//! What the drain bench has found, as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::arena::{AtRest, Drained};
use crate::contender::Contender;
use crate::payment;

const MB: f64 = 1e6;

/// All measurements of one run of the bench.
#[derive(Debug, Default)]
pub(crate) struct DrainReport {
    /// Of each contender, one for each run.
    pub(crate) drains: BTreeMap<Contender, Vec<Drained>>,
    pub(crate) at_rest: Option<AtRest>,
    /// Of the topics, and of the one of many.
    pub(crate) partitions: usize,
    pub(crate) wide_partitions: usize,
    /// Of the topics.
    pub(crate) codec: String,
}

impl DrainReport {
    /// The tables.
    pub(crate) fn markdown(&self) -> String {
        let mut text = self.conditions();
        text.push_str(&self.drain_table());
        text.push_str(&self.aim_table());
        text
    }

    /// The run with the median CPU time.
    fn median(&self, contender: Contender) -> Option<Drained> {
        let mut runs = self.drains.get(&contender)?.clone();
        runs.sort_by(|a, b| a.cpu_seconds_per_million().total_cmp(&b.cpu_seconds_per_million()));
        runs.get(runs.len() / 2).copied()
    }

    fn peak_bytes(&self, contender: Contender) -> Option<f64> {
        let runs = self.drains.get(&contender)?;
        runs.iter().map(|run| run.cost.peak_bytes as f64).reduce(f64::max)
    }

    fn cpu_ratio(&self, contender: Contender) -> Option<f64> {
        let [own, floor] = [contender, contender.floor()?].map(|contender| self.median(contender));
        Some(own?.cpu_seconds_per_million() / floor?.cpu_seconds_per_million())
    }

    fn conditions(&self) -> String {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let shared = self.drains.iter().find(|(contender, _)| contender.floor().is_some());
        let (records, runs) =
            shared.map_or((0, 0), |(_, runs)| (runs.first().map_or(0, |run| run.records), runs.len()));
        let wide = self.median(Contender::Wide).map_or_else(String::new, |wide| {
            format!("; {} records in {} partitions for the last row", thousands(wide.records), self.wide_partitions)
        });
        format!(
            "{} records of {} bytes of JSON (fewer in Avro, or what is said) in {} partitions, {}{wide}; a broker beside them on the same {cores} cores. Median \
             of {runs} by CPU time; peak memory is the highest of all runs; the time is from the start of the process to its \
             end.\n\n",
            thousands(records),
            payment::BYTES,
            self.partitions,
            self.codec,
        )
    }

    fn drain_table(&self) -> String {
        let has_group_by = self.drains.values().flatten().any(|run| run.group_by.is_some());
        let (head, line) = if has_group_by { (" group by, ms |", "---:|") } else { ("", "") };
        let mut text = format!(
            "| drain to local Parquet, or what is said | CPU-s per million | user | system | records/s | peak MB | written MB | \
             CPU : floor |{head}\n|---|---:|---:|---:|---:|---:|---:|---:|{line}\n",
        );
        for contender in self.drains.keys().copied() {
            let Some(run) = self.median(contender) else { continue };
            let per_million = |seconds: f64| seconds * 1e6 / run.records as f64;
            let ratio = self.cpu_ratio(contender);
            let _ = write!(
                text,
                "| {} | {:.2} | {:.2} | {:.2} | {} | {:.0} | {:.0} | {} |",
                contender.label(),
                run.cpu_seconds_per_million(),
                per_million(run.cost.user_seconds),
                per_million(run.cost.system_seconds),
                thousands(run.records_per_second() as u64),
                self.peak_bytes(contender).unwrap_or_default() / MB,
                run.output.bytes as f64 / MB,
                ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            );
            let group_by = self.group_by_ms(contender).map_or_else(String::new, |ms| format!("{ms:.0}"));
            text.push_str(&if has_group_by { format!(" {group_by} |\n") } else { "\n".to_owned() });
        }
        text
    }

    /// The quickest of all runs.
    fn group_by_ms(&self, contender: Contender) -> Option<f64> {
        let runs = self.drains.get(&contender)?.iter();
        runs.filter_map(|run| Some(run.group_by?.as_secs_f64() * 1e3)).reduce(f64::min)
    }

    /// `of` a drain to `of` another one.
    fn ratio(&self, [one, other]: [Contender; 2], of: fn(&Drained) -> f64) -> Option<f64> {
        Some(of(&self.median(one)?) / of(&self.median(other)?))
    }

    fn aim_table(&self) -> String {
        let core_gain = || {
            let [both, one] = [Contender::Volley, Contender::OneCore].map(|contender| self.median(contender));
            Some(both?.records_per_second() / one?.records_per_second())
        };
        let rest = self.at_rest.as_ref();
        let with_java = [Contender::Volley, Contender::Java];
        let large_with_java = [Contender::Large, Contender::LargeJava];
        let bytes = |run: &Drained| run.output.bytes as f64;
        let group_by = || Some(self.group_by_ms(Contender::Volley)? / self.group_by_ms(Contender::Java)?);
        let aims = [
            Aim::at_most("CPU without SQL : floor", self.cpu_ratio(Contender::Volley), 0.5, 2),
            Aim::at_most(
                "CPU-s per million of the consumer alone",
                self.median(Contender::Fetch).map(|run| run.cpu_seconds_per_million()),
                0.12,
                2,
            ),
            Aim::at_most("CPU with 330 bytes : floor", self.cpu_ratio(Contender::Large), 1.1, 2),
            Aim::at_most(
                "CPU to S3 : to local disk",
                self.ratio([Contender::S3, Contender::Volley], Drained::cpu_seconds_per_million),
                1.1,
                2,
            ),
            Aim::at_most("bytes written : by Java", self.ratio(with_java, bytes), 1.0, 2),
            Aim::at_most("bytes written of 330 bytes : by Java", self.ratio(large_with_java, bytes), 1.0, 2),
            Aim::at_most("time of a group by : of Java's files", group_by(), 1.0, 2),
            Aim::at_most("CPU with SQL : floor", self.cpu_ratio(Contender::Sql), 1.3, 2),
            Aim::at_most("CPU of Avro : floor", self.cpu_ratio(Contender::Avro), 1.15, 2),
            Aim::at_most("CPU of JSON lines : copying bytes", self.cpu_ratio(Contender::Lines), 1.1, 2),
            Aim::at_most("CPU of 500 directories : one", self.cpu_ratio(Contender::Directories), 1.3, 2),
            Aim::at_most(
                "peak MB at 500 directories",
                self.peak_bytes(Contender::Directories).map(|bytes| bytes / MB),
                600.0,
                0,
            ),
            Aim::at_least("speed on all cores : on one", core_gain(), 1.5, 2),
            Aim::at_most(
                "peak MB at many partitions",
                self.peak_bytes(Contender::Wide).map(|bytes| bytes / MB),
                if self.wide_partitions > 64 { 300.0 } else { 400.0 },
                0,
            ),
            Aim::at_most("resident MB at rest", rest.map(|rest| rest.resident_bytes as f64 / MB), 50.0, 0),
            Aim::at_most("ms from start to REST", rest.map(|rest| rest.until_rest.as_secs_f64() * 1e3), 300.0, 0),
        ];
        if aims.iter().all(|aim| aim.measured.is_none()) {
            return String::new();
        }
        let mut text = String::from("\n| aim | measured | limit | |\n|---|---:|---:|---|\n");
        for aim in &aims {
            aim.write(&mut text);
        }
        if let Some(rest) = rest {
            let own = rest.anonymous_bytes as f64 / MB;
            let _ = writeln!(
                text,
                "\nOf the memory at rest {own:.0} MB are the worker's own; the rest are pages of its binary."
            );
        }
        text
    }
}

/// Something that a number should keep to.
struct Aim {
    name: &'static str,
    measured: Option<f64>,
    limit: f64,
    is_ceiling: bool,
    digits: usize,
}

impl Aim {
    fn at_most(name: &'static str, measured: Option<f64>, limit: f64, digits: usize) -> Self {
        Self { name, measured, limit, is_ceiling: true, digits }
    }

    fn at_least(name: &'static str, measured: Option<f64>, limit: f64, digits: usize) -> Self {
        Self { name, measured, limit, is_ceiling: false, digits }
    }

    /// A row of the table; none if it was not measured.
    fn write(&self, text: &mut String) {
        let Some(measured) = self.measured else { return };
        let is_kept = if self.is_ceiling { measured <= self.limit } else { measured >= self.limit };
        let sign = if self.is_ceiling { "≤" } else { "≥" };
        let verdict = if is_kept { "kept" } else { "**missed**" };
        let (name, limit, digits) = (self.name, self.limit, self.digits);
        let _ = writeln!(text, "| {name} | {measured:.digits$} | {sign} {limit} | {verdict} |");
    }
}

/// `1 234 567`
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
