//! What a connector has done so far, and how fast, for display.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Completion;
use crate::task::TaskProgressSnapshot;

/// Rates are those of this long.
const WINDOW: Duration = Duration::from_secs(5);
/// Readings closer together than this are one.
const RESOLUTION: Duration = Duration::from_millis(100);

/// What a connector has done so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectorProgress {
    /// Connector name.
    pub name: String,
    /// `source`, `sink` or `unknown`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// State of the connector.
    pub state: String,
    /// All tasks together.
    pub total: TaskProgressSnapshot,
    /// All tasks together, over the last seconds.
    pub rates: Rates,
    /// Task by task.
    pub tasks: Vec<TaskProgressInfo>,
    /// What a bounded connector did, once it is done.
    pub completion: Option<Completion>,
}

/// What a task has done so far.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskProgressInfo {
    /// Task number.
    pub id: usize,
    /// State of the task; `None` = not known yet.
    pub state: Option<String>,
    /// Its counters.
    #[serde(flatten)]
    pub progress: TaskProgressSnapshot,
}

/// Per second, over the last seconds; since the first reading where that is shorter ago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rates {
    /// Records read per second.
    pub rows_in_per_second: f64,
    /// Records delivered per second.
    pub rows_out_per_second: f64,
    /// Bytes read per second.
    pub bytes_in_per_second: f64,
}

/// The counters of all tasks together.
pub(crate) fn total(tasks: &[TaskProgressSnapshot]) -> TaskProgressSnapshot {
    let sum = |counter: fn(&TaskProgressSnapshot) -> u64| tasks.iter().map(counter).sum();
    TaskProgressSnapshot {
        rows_in: sum(|task| task.rows_in),
        bytes_in: sum(|task| task.bytes_in),
        rows_out: sum(|task| task.rows_out),
        rows_rejected: sum(|task| task.rows_rejected),
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

/// Remembers readings, and works rates out of them. Nobody reads in the background: who wants rates asks more than once.
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
    fn the_lag_is_known_only_if_that_of_every_task_is() {
        let with = |lag| TaskProgressSnapshot { lag, ..TaskProgressSnapshot::default() };
        assert_eq!(total(&[with(Some(1)), with(Some(2))]).lag, Some(3));
        assert_eq!(total(&[with(Some(1)), with(None)]).lag, None);
        assert_eq!(total(&[]).lag, None);
    }
}
