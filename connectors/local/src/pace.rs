//! How many rows are due at a given rate.

use std::thread;
use std::time::{Duration, Instant};

/// What may be made up for after a stall.
const LONGEST_BURST: Duration = Duration::from_secs(1);

/// Gives out rows at a steady rate.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: f64,
    due: f64,
    counted: Instant,
}

impl Pace {
    /// `rate` rows per second, above 0; the first row is due at once.
    pub(crate) fn new(rate: f64, now: Instant) -> Self {
        Self { rate, due: 1.0, counted: now }
    }

    /// For a key `throughput` of Kafka's tools, in messages a second; `None`, no limit, if it is negative. At 0 only the
    /// first message comes.
    pub(crate) fn of_throughput(throughput: i64) -> Option<Self> {
        let rate = match throughput {
            ..0 => return None,
            0 => f64::MIN_POSITIVE,
            1.. => throughput as f64,
        };
        Some(Self::new(rate, Instant::now()))
    }

    /// How long until `rows` rows are due.
    fn until(&mut self, rows: usize, now: Instant) -> Duration {
        self.count(now);
        let missing = (rows as f64 - self.due) / self.rate;
        // A billion seconds stands for "not soon" and keeps the conversion from overflowing.
        Duration::from_secs_f64(missing.clamp(0.0, 1e9))
    }

    /// The rows that are due, at most `most`; they are given out by this.
    fn take(&mut self, most: usize, now: Instant) -> usize {
        self.count(now);
        let rows = (self.due as usize).min(most);
        self.due -= rows as f64;
        rows
    }

    /// Rows that are worth a batch of their own: those of a twentieth of a second.
    fn worth_a_batch(&self, most: usize) -> usize {
        ((self.rate / 20.0) as usize).clamp(1, most.max(1))
    }

    /// Waits until enough rows for a batch are due, at most `max_wait`; the rows to make now, at most `most`.
    pub(crate) fn wait_for(&mut self, most: usize, max_wait: Duration) -> usize {
        let wanted = self.worth_a_batch(most);
        let wait = self.until(wanted, Instant::now());
        if !wait.is_zero() {
            thread::sleep(wait.min(max_wait));
        }
        if wait > max_wait { 0 } else { self.take(most, Instant::now()) }
    }

    fn count(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        self.due = (self.due + passed * self.rate).min((LONGEST_BURST.as_secs_f64() * self.rate).max(1.0));
        self.counted = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_out_the_rate_and_no_more() {
        let start = Instant::now();
        let mut pace = Pace::new(1_000.0, start);
        let given: usize = (0..=400).map(|tick| pace.take(10_000, start + Duration::from_millis(tick * 5))).sum();
        assert!((2_000..=2_001).contains(&given), "{given} rows in two seconds");
    }

    #[test]
    fn a_stall_is_made_up_for_by_one_second_at_most() {
        let start = Instant::now();
        let mut pace = Pace::new(100.0, start);
        assert_eq!(pace.take(usize::MAX, start + Duration::from_secs(60)), 100);
    }

    #[test]
    fn a_rate_below_one_row_a_second_still_gives_rows() {
        let start = Instant::now();
        let mut pace = Pace::new(0.5, start);
        assert_eq!(pace.take(10, start), 1);
        assert_eq!(pace.until(1, start), Duration::from_secs(2));
        assert_eq!(pace.take(10, start + Duration::from_secs(2)), 1);
    }
}
