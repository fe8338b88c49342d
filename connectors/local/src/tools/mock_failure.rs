//! When the mock connectors and their tasks fail.

use std::time::{Duration, Instant};

use volley_api::{ConfigMap, Error, Result};

const MODE: &str = "mock_mode";
const DELAY: &str = "delay_ms";
const DEFAULT_DELAY: Duration = Duration::from_millis(15_000);
/// Delays beyond this are cut, so that the instant of the failure can be told.
const LONGEST_DELAY: Duration = Duration::from_secs(1_000_000_000);

/// Who fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MockMode {
    /// The connector.
    ConnectorFailure,
    /// Each task.
    TaskFailure,
}

impl MockMode {
    fn name(self) -> &'static str {
        match self {
            Self::ConnectorFailure => "connector-failure",
            Self::TaskFailure => "task-failure",
        }
    }
}

/// How long after the start to fail; `None`: never, since another or no failure is asked for.
pub(super) fn delay(config: &ConfigMap, mode: MockMode) -> Result<Option<Duration>> {
    if config.get(MODE).map(String::as_str) != Some(mode.name()) {
        return Ok(None);
    }
    let Some(text) = config.get(DELAY) else { return Ok(Some(DEFAULT_DELAY)) };
    let delay: i64 = text.parse().map_err(|_| {
        Error::config(format!("Invalid value {text} for configuration {DELAY}: Not a number of type LONG"))
            .with_exception("java.lang.NumberFormatException")
    })?;
    let delay = Duration::from_millis(u64::try_from(delay).unwrap_or_default());
    Ok(Some(delay.min(LONGEST_DELAY)))
}

/// The failure.
pub(super) fn failure() -> Error {
    // Java's has no message
    Error::fatal("").with_exception("java.lang.RuntimeException").with_place(format!("planned failure (`{MODE}`)"))
}

/// A failure that a task is waiting for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PlannedFailure(Option<Instant>);

impl PlannedFailure {
    /// The failure that a task's configuration asks for, counted from now.
    pub(super) fn of_task(config: &ConfigMap) -> Result<Self> {
        Ok(Self(delay(config, MockMode::TaskFailure)?.map(|delay| Instant::now() + delay)))
    }

    /// Fails if it is time.
    pub(super) fn check(&self) -> Result<()> {
        match self.0 {
            Some(instant) if Instant::now() >= instant => Err(failure()),
            _ => Ok(()),
        }
    }

    /// How long until then, at most `max_wait`.
    pub(super) fn wait(&self, max_wait: Duration) -> Duration {
        let until = self.0.map(|instant| instant.saturating_duration_since(Instant::now()));
        until.unwrap_or(max_wait).min(max_wait)
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn of(entries: &[(&str, &str)]) -> Result<Option<Duration>> {
        delay(&config_map(entries), MockMode::TaskFailure)
    }

    #[test]
    fn only_the_mode_asked_for_fails_and_only_then_the_delay_matters() {
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&[("mock_mode", "connector-failure"), ("delay_ms", "soon")]).unwrap(), None);
        assert_eq!(of(&[("mock_mode", "task-failure")]).unwrap(), Some(DEFAULT_DELAY));
        assert_eq!(of(&[("mock_mode", "task-failure"), ("delay_ms", "-7")]).unwrap(), Some(Duration::ZERO));
        assert!(of(&[("mock_mode", "task-failure"), ("delay_ms", "soon")]).is_err());
        assert!(of(&[("mock_mode", "task-failure"), ("delay_ms", "9223372036854775807")]).is_ok());
    }
}
