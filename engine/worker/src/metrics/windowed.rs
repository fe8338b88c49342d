//! A statistic of the recent past: rate, average and maximum over the last windows.
//!
//! As Kafka's sampled statistics: time is cut into windows of `metrics.sample.window.ms`, and the last `metrics.num.samples` of
//! them count, so that a figure covers between one and all of them. Pure: the caller says what time it is.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::worker_config::WorkerConfig;

/// How long a window is, and how many of them count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Length of one window. MUST be more than zero.
    pub length: Duration,
    /// How many windows count, at least 1.
    pub count: usize,
}

impl Windows {
    /// The windows that a worker is configured with.
    pub fn of(config: &WorkerConfig) -> Self {
        let number = |key: &str| config.parsed().long(key).and_then(|number| u64::try_from(number).ok());
        // Java takes a window of no length; here it is the shortest possible
        let length = Duration::from_millis(number("metrics.sample.window.ms").unwrap_or_default().max(1));
        Self { length, count: number("metrics.num.samples").map_or(1, |count| count.max(1) as usize) }
    }
}

impl Default for Windows {
    /// Kafka's: two windows of 30 s.
    fn default() -> Self {
        Self { length: Duration::from_secs(30), count: 2 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    start: Instant,
    events: u64,
    sum: f64,
    min: f64,
    max: f64,
}

/// Values recorded in the last windows.
#[derive(Clone, Debug)]
pub(crate) struct Windowed {
    windows: Windows,
    samples: VecDeque<Sample>,
}

impl Windowed {
    /// Nothing recorded yet.
    pub(crate) fn new(windows: Windows) -> Self {
        Self { windows, samples: VecDeque::new() }
    }

    /// Records `value`, at `now`.
    pub(crate) fn record(&mut self, value: f64, now: Instant) {
        self.forget_old(now);
        let is_current = |sample: &Sample| now.duration_since(sample.start) < self.windows.length;
        if !self.samples.back().is_some_and(is_current) {
            self.samples.push_back(Sample {
                start: now,
                events: 0,
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
            });
        }
        if let Some(sample) = self.samples.back_mut() {
            sample.events += 1;
            sample.sum += value;
            sample.min = sample.min.min(value);
            sample.max = sample.max.max(value);
        }
    }

    /// The sum of the values, per second; 0 without any.
    pub(crate) fn rate(&mut self, now: Instant) -> f64 {
        self.forget_old(now);
        let Some(oldest) = self.samples.front() else { return 0.0 };
        // a rate right after the start would otherwise be that of a moment
        let at_least = self.windows.length * (self.windows.count as u32 - 1);
        let elapsed = now.duration_since(oldest.start);
        let full = elapsed.as_nanos() / self.windows.length.as_nanos().max(1);
        let missing = (self.windows.count as u128 - 1).saturating_sub(full) as u32;
        let elapsed = (elapsed + self.windows.length * missing).max(at_least).max(Duration::from_millis(1));
        self.samples.iter().map(|sample| sample.sum).sum::<f64>() / elapsed.as_secs_f64()
    }

    /// The average of the values; NaN without any, as in Kafka.
    pub(crate) fn average(&mut self, now: Instant) -> f64 {
        self.forget_old(now);
        let events: u64 = self.samples.iter().map(|sample| sample.events).sum();
        let sum: f64 = self.samples.iter().map(|sample| sample.sum).sum();
        if events == 0 { f64::NAN } else { sum / events as f64 }
    }

    /// The largest of the values; NaN without any, as in Kafka.
    pub(crate) fn max(&mut self, now: Instant) -> f64 {
        self.forget_old(now);
        self.samples.iter().map(|sample| sample.max).fold(f64::NAN, f64::max)
    }

    /// The smallest of the values; NaN without any, as in Kafka.
    pub(crate) fn min(&mut self, now: Instant) -> f64 {
        self.forget_old(now);
        self.samples.iter().map(|sample| sample.min).fold(f64::NAN, f64::min)
    }

    fn forget_old(&mut self, now: Instant) {
        let reach = self.windows.length * self.windows.count as u32;
        while self.samples.front().is_some_and(|sample| now.duration_since(sample.start) >= reach) {
            self.samples.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windowed() -> (Windowed, Instant) {
        (Windowed::new(Windows { length: Duration::from_secs(10), count: 2 }), Instant::now())
    }

    #[test]
    fn what_is_older_than_all_windows_counts_no_more() {
        let (mut windowed, start) = windowed();
        let at = |seconds| start + Duration::from_secs(seconds);
        windowed.record(8.0, at(0));
        windowed.record(2.0, at(12));
        assert_eq!((windowed.min(at(12)), windowed.max(at(12)), windowed.average(at(12))), (2.0, 8.0, 5.0));
        assert_eq!((windowed.max(at(20)), windowed.average(at(20))), (2.0, 2.0));
        assert!(windowed.max(at(40)).is_nan() && windowed.average(at(40)).is_nan());
        assert_eq!(windowed.rate(at(40)), 0.0);
    }

    #[test]
    fn a_rate_is_over_at_least_all_windows_but_one() {
        let (mut windowed, start) = windowed();
        windowed.record(100.0, start);
        assert_eq!(windowed.rate(start), 10.0);
        assert_eq!(windowed.rate(start + Duration::from_secs(5)), 100.0 / 15.0);
        assert_eq!(windowed.rate(start + Duration::from_secs(16)), 100.0 / 16.0);
    }
}
