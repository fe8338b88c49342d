//! How often something is tried again, and after how long.

use std::time::Duration;

use volley_api::{Error, Result};

/// What is set about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RetrySettings {
    /// `max.retries`
    pub(super) retries: u32,
    /// `retry.backoff.ms`
    pub(super) backoff: Duration,
    /// `connection.attempts`; at least 1.
    pub(super) attempts: u32,
    /// `connection.backoff.ms`
    pub(super) connection_backoff: Duration,
}

/// What has failed in a row.
#[derive(Debug)]
pub(super) struct Retries {
    settings: RetrySettings,
    failed: u32,
    failed_connections: u32,
}

impl Retries {
    /// Nothing has failed yet.
    pub(super) fn new(settings: RetrySettings) -> Self {
        Self { settings, failed: 0, failed_connections: 0 }
    }

    /// A batch is written.
    pub(super) fn succeeded(&mut self) {
        self.failed = 0;
        self.failed_connections = 0;
    }

    /// There is a connection.
    pub(super) fn connected(&mut self) {
        self.failed_connections = 0;
    }

    /// A connection could not be made: how long to wait before the next.
    ///
    /// # Errors
    /// `Fatal` after the last retry.
    pub(super) fn connection_failed(&mut self, error: &Error) -> Result<Duration> {
        self.failed_connections += 1;
        if self.failed_connections < self.settings.attempts {
            return Ok(self.settings.connection_backoff);
        }
        self.failed_connections = 0;
        self.write_failed(error)
    }

    /// A batch could not be written: how long to wait before it is written again.
    ///
    /// # Errors
    /// `Fatal` after the last retry.
    pub(super) fn write_failed(&mut self, error: &Error) -> Result<Duration> {
        self.failed += 1;
        if self.failed <= self.settings.retries {
            return Ok(self.settings.backoff);
        }
        let retries = self.settings.retries;
        Err(Error::fatal(format!("gave up after {retries} retries (`max.retries`): {error}"))
            .with_source(error.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_as_many_connections_as_may_be_tried() {
        let settings = RetrySettings {
            retries: 1,
            backoff: Duration::from_secs(3),
            attempts: 2,
            connection_backoff: Duration::from_secs(1),
        };
        let mut retries = Retries::new(settings);
        let error = Error::retriable("out of reach");
        let mut waits = || retries.connection_failed(&error).map(|wait| wait.as_secs()).ok();
        assert_eq!([waits(), waits(), waits(), waits()], [Some(1), Some(3), Some(1), None]);
        retries.succeeded();
        assert!(retries.write_failed(&error).is_ok());
        let given_up = retries.write_failed(&error).unwrap_err();
        assert!(!given_up.is_retriable() && given_up.to_string().contains("`max.retries`"), "{given_up}");
    }
}
