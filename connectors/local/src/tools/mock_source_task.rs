//! The task of `MockSource`.

use std::time::Duration;

use volley_api::{ConfigMap, Polled, Result, SourceContext, SourceTask};

use super::mock_failure::PlannedFailure;

/// How long there will be nothing.
const NOTHING: Duration = Duration::from_secs(3600);

/// Sends nothing.
#[derive(Debug, Default)]
pub(super) struct MockSourceTask {
    failure: PlannedFailure,
}

impl SourceTask for MockSourceTask {
    fn start(&mut self, _context: SourceContext, config: &ConfigMap) -> Result<()> {
        self.failure = PlannedFailure::of_task(config)?;
        Ok(())
    }

    fn poll(&mut self, _max_wait: Duration) -> Result<Polled> {
        self.failure.check()?;
        Ok(Polled::IdleFor(self.failure.wait(NOTHING)))
    }

    fn stop(&mut self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_task_fails_in_poll_after_the_delay() {
        let config = [("mock_mode", "task-failure"), ("delay_ms", "20")];
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut task = MockSourceTask::default();
        let context = SourceContext { connector: "c".into(), task: 0, offset: Arc::new(|_| Ok(None)) };
        task.start(context, &config).unwrap();
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
