//! Volley's automatic restart of failed connectors and tasks.

use std::time::Duration;

use volley_api::{ConfigMap, Result};

use super::WorkerConfig;

/// The automatic restart of failed connectors and tasks. Off by default, as in Kafka Connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Maximum number of consecutive attempts; 0 = never.
    pub max_attempts: usize,
    /// Pause before the first attempt; doubled before each further one.
    pub backoff: Duration,
    /// Longest pause before an attempt.
    pub max_backoff: Duration,
}

impl RestartPolicy {
    /// The pause before attempt number `attempt`, counted from 0; `None` = stay failed.
    pub fn wait_before(&self, attempt: usize) -> Option<Duration> {
        let factor = 1u32.checked_shl(u32::try_from(attempt).unwrap_or(u32::MAX)).unwrap_or(u32::MAX);
        (attempt < self.max_attempts).then(|| self.backoff.saturating_mul(factor).min(self.max_backoff))
    }
}

impl WorkerConfig {
    /// The policy for a connector and its tasks: its own `volley.restart.*`, or otherwise the worker's.
    ///
    /// # Errors
    /// `Config`, naming the key that is wrong.
    pub fn restart_policy(&self, connector_config: &ConfigMap) -> Result<RestartPolicy> {
        let millis =
            |key| Ok::<_, volley_api::Error>(Duration::from_millis(self.own_number(key, connector_config)? as u64));
        Ok(RestartPolicy {
            max_attempts: self.own_number("volley.restart.max.attempts", connector_config)?,
            backoff: millis("volley.restart.backoff.ms")?,
            max_backoff: millis("volley.restart.backoff.max.ms")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::testing::config_map;

    use super::*;
    use crate::testing::distributed_config;

    #[test]
    fn nothing_is_restarted_unless_the_user_says_so() {
        let policy = distributed_config(&[]).unwrap().restart_policy(&config_map(&[])).unwrap();
        assert_eq!(policy.wait_before(0), None);
        assert_eq!((policy.backoff, policy.max_backoff), (Duration::from_secs(10), Duration::from_secs(300)));
    }

    #[test]
    fn a_connector_may_have_a_policy_of_its_own() {
        let config = distributed_config(&[("volley.restart.max.attempts", "3")]).unwrap();
        let own = config_map(&[("volley.restart.backoff.ms", "1000"), ("volley.restart.backoff.max.ms", "3000")]);
        let policy = config.restart_policy(&own).unwrap();
        let waits: Vec<_> = (0..4).map(|attempt| policy.wait_before(attempt).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(3), None]);
        assert!(config.restart_policy(&config_map(&[("volley.restart.max.attempts", "-1")])).is_err());
    }

    proptest! {
        #[test]
        fn waits_never_shrink_and_never_exceed_the_limit(attempts in 0usize..100, backoff in 0u64..100_000, max in 0u64..1_000_000) {
            let [backoff, max_backoff] = [backoff, max].map(Duration::from_millis);
            let policy = RestartPolicy { max_attempts: attempts, backoff, max_backoff };
            let waits: Vec<_> = (0..attempts).map(|attempt| policy.wait_before(attempt).unwrap()).collect();
            prop_assert!(waits.is_sorted() && waits.iter().all(|wait| *wait <= max_backoff));
            prop_assert_eq!(policy.wait_before(attempts), None);
        }
    }
}
