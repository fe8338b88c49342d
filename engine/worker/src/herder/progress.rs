//! Counters and rates of a connector, for display.

use std::collections::VecDeque;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Completion;
use crate::plugins::JavaProcess;
use crate::storage::{TaskProgressSnapshot, by_stage};

/// Rates are those of this long.
const WINDOW: Duration = Duration::from_secs(5);
/// Readings closer together than this are one.
const RESOLUTION: Duration = Duration::from_millis(100);

/// Counters and rates of a connector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectorProgress {
    /// Connector name.
    pub name: String,
    /// `source`, `sink` or `unknown`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// State of the connector.
    pub state: String,
    /// The tasks below together.
    pub total: TaskProgressSnapshot,
    /// The tasks below together, over the last seconds.
    pub rates: Rates,
    /// Task by task.
    pub tasks: Vec<TaskProgressInfo>,
    /// The Java processes that it runs in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub java: Vec<JavaProcessInfo>,
    /// Whose tasks are not among them.
    pub not_counted: Vec<NotCounted>,
    /// The record of a bounded run, once it is over.
    pub completion: Option<Completion>,
}

/// The part of a worker's answer that another worker reads.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct WorkerProgress {
    pub(crate) tasks: Vec<TaskProgressInfo>,
    pub(crate) rates: Rates,
    #[serde(default)]
    pub(crate) java: Vec<JavaProcessInfo>,
}

/// A Java process in which a connector runs, alone or with others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JavaProcessInfo {
    /// `host:port` of its worker.
    pub worker_id: String,
    /// What it is, has and does.
    #[serde(flatten)]
    pub process: JavaProcess,
}

/// A worker that has tasks of the connector, and whose answer is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotCounted {
    /// `host:port` of the worker.
    pub worker_id: String,
    /// The tasks that it has.
    pub tasks: Vec<usize>,
    /// Why they are not counted.
    pub reason: String,
}

/// Counters of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskProgressInfo {
    /// Task number.
    pub id: usize,
    /// `host:port` of its worker.
    #[serde(default)]
    pub worker_id: String,
    /// State of the task; `None` = not known yet.
    pub state: Option<String>,
    /// Its counters.
    #[serde(flatten)]
    pub progress: TaskProgressSnapshot,
}

/// Per second, over the last seconds; since the first reading where that is shorter ago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// Records read per second.
    pub rows_in_per_second: f64,
    /// Records delivered per second.
    pub rows_out_per_second: f64,
    /// Bytes read per second.
    pub bytes_in_per_second: f64,
}

impl ConnectorProgress {
    /// Adds the answers of other workers, or the reasons why they are missing. The total lag is unknown then.
    pub(crate) fn add(&mut self, others: impl IntoIterator<Item = Result<WorkerProgress, NotCounted>>) {
        for other in others {
            match other {
                Ok(other) => {
                    self.rates += other.rates;
                    self.java.extend(other.java);
                    let is_new = |task: &TaskProgressInfo| !self.tasks.iter().any(|known| known.id == task.id);
                    let new: Vec<_> = other.tasks.into_iter().filter(is_new).collect();
                    self.tasks.extend(new);
                }
                Err(not_counted) => self.not_counted.push(not_counted),
            }
        }
        self.tasks.sort_by_key(|task| task.id);
        let counters: Vec<_> = self.tasks.iter().map(|task| task.progress.clone()).collect();
        self.total = total(&counters);
        if !self.not_counted.is_empty() {
            self.total.lag = None;
        }
    }
}

impl AddAssign for Rates {
    fn add_assign(&mut self, other: Self) {
        self.rows_in_per_second += other.rows_in_per_second;
        self.rows_out_per_second += other.rows_out_per_second;
        self.bytes_in_per_second += other.bytes_in_per_second;
    }
}

/// The counters of all tasks together.
pub(crate) fn total(tasks: &[TaskProgressSnapshot]) -> TaskProgressSnapshot {
    let sum = |counter: fn(&TaskProgressSnapshot) -> u64| tasks.iter().map(counter).sum();
    TaskProgressSnapshot {
        rows_in: sum(|task| task.rows_in),
        bytes_in: sum(|task| task.bytes_in),
        rows_out: sum(|task| task.rows_out),
        rows_rejected: sum(|task| task.rows_rejected),
        rows_rejected_by_stage: by_stage(tasks),
        dead_letters_written: sum(|task| task.dead_letters_written),
        dead_letters_refused: sum(|task| task.dead_letters_refused),
        open_files: sum(|task| task.open_files),
        files: sum(|task| task.files),
        written_bytes: sum(|task| task.written_bytes),
        lag: match tasks.is_empty() {
            true => None,
            false => tasks.iter().map(|task| task.lag).sum(),
        },
        last_commit_ms: tasks.iter().filter_map(|task| task.last_commit_ms).max(),
        buffered_bytes: sum(|task| task.buffered_bytes),
    }
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    rows_in: u64,
    rows_out: u64,
    bytes_in: u64,
}

/// Computes rates from the last readings. It reads only when it is asked, so the first answer has no rates.
#[derive(Debug, Default)]
pub(crate) struct RateMeter {
    readings: VecDeque<Reading>,
}

impl RateMeter {
    /// Takes a reading; the rates up to it.
    pub(crate) fn read(&mut self, at: Instant, total: &TaskProgressSnapshot) -> Rates {
        let now = Reading { at, rows_in: total.rows_in, rows_out: total.rows_out, bytes_in: total.bytes_in };
        // Counters that went back are those of new tasks.
        if self.readings.back().is_some_and(|last| last.rows_in > now.rows_in || last.bytes_in > now.bytes_in) {
            self.readings.clear();
        }
        while self.readings.len() > 1 && self.readings.get(1).is_some_and(|second| at - second.at >= WINDOW) {
            self.readings.pop_front();
        }
        let rates = self.readings.front().map_or_else(Rates::default, |first| rates_between(first, &now));
        if self.readings.back().is_none_or(|last| at - last.at >= RESOLUTION) {
            self.readings.push_back(now);
        }
        rates
    }
}

fn rates_between(first: &Reading, last: &Reading) -> Rates {
    let seconds = (last.at - first.at).as_secs_f64();
    let rate = |from: u64, to: u64| if seconds > 0.0 { to.saturating_sub(from) as f64 / seconds } else { 0.0 };
    Rates {
        rows_in_per_second: rate(first.rows_in, last.rows_in),
        rows_out_per_second: rate(first.rows_out, last.rows_out),
        bytes_in_per_second: rate(first.bytes_in, last.bytes_in),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(rows_in: u64) -> TaskProgressSnapshot {
        TaskProgressSnapshot { rows_in, ..TaskProgressSnapshot::default() }
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let (start, mut meter) = (Instant::now(), RateMeter::default());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(meter.read(at(0), &reading(0)).rows_in_per_second, 0.0);
        assert_eq!(meter.read(at(2), &reading(200)).rows_in_per_second, 100.0);
        assert_eq!(meter.read(at(10), &reading(1000)).rows_in_per_second, 100.0);
        assert_eq!(meter.read(at(20), &reading(1000)).rows_in_per_second, 0.0);
    }

    #[test]
    fn a_restarted_task_does_not_count_backwards() {
        let (start, mut meter) = (Instant::now(), RateMeter::default());
        meter.read(start, &reading(500));
        assert_eq!(meter.read(start + Duration::from_secs(1), &reading(10)).rows_in_per_second, 0.0);
    }

    #[test]
    fn what_other_workers_have_done_is_added_and_who_is_silent_is_named() {
        let task = |id, lag| TaskProgressInfo {
            id,
            worker_id: "w:1".into(),
            state: None,
            progress: TaskProgressSnapshot { rows_in: 10, lag: Some(lag), ..TaskProgressSnapshot::default() },
        };
        let mut progress = ConnectorProgress {
            name: "a".into(),
            kind: "sink",
            state: "RUNNING".into(),
            total: reading(10),
            rates: Rates { rows_in_per_second: 1.5, ..Rates::default() },
            tasks: vec![task(1, 1)],
            java: Vec::new(),
            not_counted: Vec::new(),
            completion: None,
        };
        let java =
            JavaProcessInfo { worker_id: "w:2".into(), process: JavaProcess { pid: 7, ..JavaProcess::default() } };
        let other =
            WorkerProgress { tasks: vec![task(0, 2), task(1, 7)], rates: progress.rates, java: vec![java.clone()] };
        progress.add([Ok(other)]);
        assert_eq!(progress.java, [java]);
        assert_eq!(progress.tasks, [task(0, 2), task(1, 1)]);
        assert_eq!((progress.total.rows_in, progress.total.lag), (20, Some(3)));
        assert_eq!(progress.rates.rows_in_per_second, 3.0);
        let silent = NotCounted { worker_id: "w:2".into(), tasks: vec![2], reason: "it is gone".into() };
        progress.add([Err(silent.clone())]);
        assert_eq!((progress.total.rows_in, progress.total.lag, &progress.not_counted[..]), (20, None, &[silent][..]));
    }

    #[test]
    fn rejected_records_are_added_stage_by_stage() {
        let with = |stages: &[(&str, u64)]| TaskProgressSnapshot {
            rows_rejected: stages.iter().map(|(_, count)| count).sum(),
            rows_rejected_by_stage: stages.iter().map(|(stage, count)| ((*stage).to_owned(), *count)).collect(),
            dead_letters_written: 3,
            dead_letters_refused: 1,
            ..TaskProgressSnapshot::default()
        };
        let all = total(&[with(&[("KEY_CONVERTER", 1)]), with(&[]), with(&[("KEY_CONVERTER", 2), ("TASK_PUT", 4)])]);
        let stages: Vec<_> = all.rows_rejected_by_stage.iter().map(|(stage, count)| (stage.as_str(), *count)).collect();
        assert_eq!(stages, [("KEY_CONVERTER", 3), ("TASK_PUT", 4)]);
        assert_eq!((all.rows_rejected, all.dead_letters_written, all.dead_letters_refused), (7, 9, 3));
    }

    #[test]
    fn the_lag_is_known_only_if_that_of_every_task_is() {
        let with = |lag| TaskProgressSnapshot { lag, ..TaskProgressSnapshot::default() };
        assert_eq!(total(&[with(Some(1)), with(Some(2))]).lag, Some(3));
        assert_eq!(total(&[with(Some(1)), with(None)]).lag, None);
        assert_eq!(total(&[]).lag, None);
    }
}
