//! The keys of the `Blackhole` sink.

use std::time::Duration;

use volley_api::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Result, Validator};

const FAIL_EVERY: &str = "fail.every";
const FAIL_WITH: &str = "fail.with";
const DELAY: &str = "delay.ms";

/// How a planned failure looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The batch is refused once and taken when it comes again.
    Retriable,
    /// The row is rejected.
    Rejected,
    /// The task fails.
    Fatal,
}

/// The definition of all keys.
pub(super) fn config_def() -> ConfigDef {
    let mut failure = ConfigKey::with_default(
        FAIL_WITH,
        ConfigType::String,
        "retriable",
        Importance::Low,
        "How it fails then: retriable (the batch of that row is refused once), rejected (that row alone is rejected), fatal \
         (the task fails).",
    )
    .validated(Validator::one_of(["retriable", "rejected", "fatal"]));
    failure.recommended_values = ["retriable", "rejected", "fatal"].map(str::to_owned).to_vec();
    ConfigDef::new()
        .key(
            ConfigKey::optional(
                FAIL_EVERY,
                ConfigType::Long,
                Importance::Medium,
                "Fail at each row whose number, counted by each task from 1, is a multiple of this. Without it nothing fails.",
            )
            .validated(Validator::AtLeast(1)),
        )
        .key(failure)
        .key(
            ConfigKey::with_default(
                DELAY,
                ConfigType::Long,
                "0",
                Importance::Medium,
                "How long each batch takes, in milliseconds.",
            )
            .validated(Validator::Between(0, 3_600_000)),
        )
}

/// A task's configuration, parsed.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlackholeConfig {
    /// Rows from one failure to the next, at least 1; `None` = no failures.
    pub(super) fail_every: Option<u64>,
    /// How it fails.
    pub(super) fail_with: Failure,
    /// How long each batch takes.
    pub(super) delay: Duration,
}

impl BlackholeConfig {
    /// Parses the configuration of a task.
    pub(super) fn parse(config: &ConfigMap) -> Result<Self> {
        let config = config_def().parse(config)?;
        let number = |key| config.long(key).and_then(|number| u64::try_from(number).ok());
        Ok(Self {
            fail_every: number(FAIL_EVERY),
            fail_with: match config.string(FAIL_WITH) {
                Some("rejected") => Failure::Rejected,
                Some("fatal") => Failure::Fatal,
                _ => Failure::Retriable,
            },
            delay: Duration::from_millis(number(DELAY).unwrap_or_default()),
        })
    }
}
