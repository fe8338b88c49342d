//! The task of `MockSource`.

use std::time::Duration;

use volley_api::{ConfigMap, Polled, Result, SourceContext, SourceTask};

use super::mock_failure::PlannedFailure;

/// How long there will be nothing.
const NOTHING: Duration = Duration::from_secs(3600);

/// Sends nothing.
#[derive(Debug)]
pub(super) struct MockSourceTask {
    failure: PlannedFailure,
}

impl MockSourceTask {
    /// Starts the task.
    pub(super) fn start(_context: SourceContext, config: &ConfigMap) -> Result<Self> {
        Ok(Self { failure: PlannedFailure::of_task(config)? })
    }
}

impl SourceTask for MockSourceTask {
    fn poll(&mut self, _max_wait: Duration) -> Result<Polled> {
        self.failure.check()?;
        Ok(Polled::IdleFor(self.failure.wait(NOTHING)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn the_task_fails_in_poll_after_the_delay() {
        let config = config_map(&[("mock_mode", "task-failure"), ("delay_ms", "20")]);
        let mut task = MockSourceTask::start(SourceContext::new("c", 0), &config).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let error = loop {
            match task.poll(Duration::ZERO) {
                Ok(Polled::IdleFor(wait)) => assert!(wait <= Duration::from_millis(20)),
                outcome => break outcome.unwrap_err(),
            }
            assert!(Instant::now() < deadline, "it never failed");
        };
        assert_eq!(error.exception(), "java.lang.RuntimeException");
    }
}
