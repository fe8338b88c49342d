//! The task of `MockSource`.

use std::thread;
use std::time::Duration;

use volley_api::{ConfigMap, Polled, Result, SourceContext, SourceTask};

use super::mock_failure::PlannedFailure;

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

    fn poll(&mut self, max_wait: Duration) -> Result<Polled> {
        thread::sleep(self.failure.wait(max_wait));
        self.failure.check()?;
        Ok(Polled::Idle)
    }

    fn stop(&mut self) {}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_task_fails_in_poll_after_the_delay() {
        let config = [("mock_mode", "task-failure"), ("delay_ms", "20")];
        let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut task = MockSourceTask::default();
        let context = SourceContext { connector: "c".into(), task: 0, offset: Arc::new(|_| Ok(None)) };
        task.start(context, &config).unwrap();
        assert!(matches!(task.poll(Duration::ZERO).unwrap(), Polled::Idle));
        assert_eq!(task.poll(Duration::from_secs(10)).unwrap_err().exception(), "java.lang.RuntimeException");
    }
}
