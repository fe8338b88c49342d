//! The keys of both file stream connectors.

use std::time::Duration;

use volley_api::{Config, ConfigDef, ConfigKey, ConfigMap, ConfigType, Importance, Result, Validator};

const FILE: &str = "file";
const TOPIC: &str = "topic";
const BATCH_SIZE: &str = "batch.size";
/// Batches are not made larger than this, whatever `batch.size` says.
const LARGEST_BATCH: usize = 1_000_000;
const MAX_LINE_BYTES: &str = "max.line.bytes";
const RETRY_TIMEOUT: &str = "retry.timeout.ms";

/// The definition of the source's keys.
pub(super) fn source_config_def() -> ConfigDef {
    ConfigDef::new()
        .key(ConfigKey::optional(
            FILE,
            ConfigType::String,
            Importance::High,
            "The file to read. Without it, the standard input of the worker is read.",
        ))
        .key(
            ConfigKey::required(TOPIC, ConfigType::String, Importance::High, "The topic to write to.")
                .validated(Validator::NonEmpty),
        )
        .key(
            ConfigKey::with_default(
                BATCH_SIZE,
                ConfigType::Int,
                "2000",
                Importance::Low,
                "Most lines of a batch; 0 and less count as 1.",
            ),
        )
        .key(
            ConfigKey::with_default(
                MAX_LINE_BYTES,
                ConfigType::Int,
                "33554432",
                Importance::Low,
                "Longest line, in bytes. The task fails at a longer one, so that a file without line ends cannot fill the \
                 memory.",
            )
            .validated(Validator::Between(1, 1 << 30))
            .unlisted(),
        )
}

/// The definition of the sink's keys.
pub(super) fn sink_config_def() -> ConfigDef {
    ConfigDef::new()
        .key(ConfigKey::optional(
            FILE,
            ConfigType::String,
            Importance::High,
            "The file to append to; it is created if there is none. Without it, the standard output of the worker is \
             written to.",
        ))
        .key(
            ConfigKey::with_default(
                RETRY_TIMEOUT,
                ConfigType::Long,
                "300000",
                Importance::Low,
                "How long the task tries again, in milliseconds, where the disk is full or read-only, before it fails. -1: \
                 for ever.",
            )
            .validated(Validator::AtLeast(-1))
            .unlisted(),
        )
}

/// A source task's configuration, parsed.
#[derive(Debug)]
pub(super) struct SourceConfig {
    /// The file; `None` = standard input.
    pub(super) file: Option<String>,
    /// The topic; not empty.
    pub(super) topic: String,
    /// Most lines of a batch; at least 1.
    pub(super) batch_size: usize,
    /// Longest line in bytes, without its end.
    pub(super) max_line_bytes: usize,
}

impl SourceConfig {
    /// Parses the configuration of a connector or a task.
    pub(super) fn parse(config: &ConfigMap) -> Result<Self> {
        let config = source_config_def().parse(config)?;
        let size = |key| config.long(key).and_then(|size| usize::try_from(size).ok()).unwrap_or(1).max(1);
        Ok(Self {
            file: file(&config),
            topic: config.string(TOPIC).unwrap_or_default().to_owned(),
            batch_size: size(BATCH_SIZE).min(LARGEST_BATCH),
            max_line_bytes: size(MAX_LINE_BYTES),
        })
    }
}

/// A sink task's configuration, parsed.
#[derive(Debug)]
pub(super) struct SinkConfig {
    /// The file; `None` = standard output.
    pub(super) file: Option<String>,
    /// How long a full or read-only disk is borne; `None` = for ever.
    pub(super) retry_timeout: Option<Duration>,
}

impl SinkConfig {
    /// Parses the configuration of a connector or a task.
    pub(super) fn parse(config: &ConfigMap) -> Result<Self> {
        let config = sink_config_def().parse(config)?;
        let retry_timeout = config.long(RETRY_TIMEOUT).and_then(|timeout| u64::try_from(timeout).ok());
        Ok(Self { file: file(&config), retry_timeout: retry_timeout.map(Duration::from_millis) })
    }
}

fn file(config: &Config) -> Option<String> {
    config.string(FILE).filter(|file| !file.is_empty()).map(str::to_owned)
}
