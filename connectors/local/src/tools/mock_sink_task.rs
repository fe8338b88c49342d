//! The task of `MockSink`.

use volley_api::{ConfigMap, Offsets, RejectedRow, Result, SinkBatch, SinkContext, SinkTask};

use super::mock_failure::PlannedFailure;

/// Drops its records.
#[derive(Debug)]
pub(super) struct MockSinkTask {
    failure: PlannedFailure,
}

impl MockSinkTask {
    /// Starts the task.
    pub(super) fn start(_context: SinkContext, config: &ConfigMap) -> Result<Self> {
        Ok(Self { failure: PlannedFailure::of_task(config)? })
    }
}

impl SinkTask for MockSinkTask {
    fn put(&mut self, _batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        self.failure.check().map(|()| Vec::new())
    }

    /// Without records it fails, too.
    fn tick(&mut self) -> Result<()> {
        self.failure.check()
    }

    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        Ok(current.clone())
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn the_task_fails_after_the_delay_and_only_if_asked_to() {
        for (mode, fails) in [("task-failure", true), ("connector-failure", false), ("other", false)] {
            let config = config_map(&[("mock_mode", mode), ("delay_ms", "0")]);
            let mut task = MockSinkTask::start(SinkContext::new("c", 0), &config).unwrap();
            assert_eq!(task.tick().is_err(), fails, "{mode}");
        }
    }
}
