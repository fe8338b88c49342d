//! Delays that grow by a factor.

/// Delays in milliseconds: an initial one, multiplied by a factor for each further attempt, up to a maximum. Computed
/// as in Kafka.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExponentialBackoff {
    initial_ms: i64,
    factor: i32,
    max_ms: i64,
}

impl ExponentialBackoff {
    /// Starts with `initial_ms`.
    pub fn new(initial_ms: i64, factor: i32, max_ms: i64) -> Self {
        Self { initial_ms: initial_ms.min(max_ms), factor, max_ms }
    }

    /// The delays between attempts to publish a connector's task configurations: 250 ms, doubled up to a minute.
    pub fn task_reconfiguration() -> Self {
        Self::new(250, 2, 60_000)
    }

    /// The delay after so many attempts, counted from 0.
    pub fn delay_ms(&self, attempts: u32) -> i64 {
        if self.max_ms <= self.initial_ms {
            return self.initial_ms;
        }
        let factor = f64::from(self.factor);
        let largest = (self.max_ms as f64 / self.initial_ms.max(1) as f64).ln() / factor.ln();
        let delay = self.initial_ms as f64 * factor.powf(f64::from(attempts).min(largest));
        (delay as i64).min(self.max_ms)
    }
}
