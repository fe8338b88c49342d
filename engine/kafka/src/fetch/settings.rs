//! What a consumer's keys say about fetching.

use std::time::Duration;

use kafka_protocol::protocol::StrBytes;
use rdkafka::ClientConfig;
use volley_api::{ConfigMap, Error, Result};

use crate::wire::ConnectionSettings;

/// Java's `metadata.max.age.ms`.
const METADATA_AGE: Duration = Duration::from_secs(300);

/// The client that fetches: `volley.fetch.client`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchClient {
    /// This module, batch by batch; the default.
    Native,
    /// librdkafka, message by message.
    Librdkafka,
}

impl FetchClient {
    /// Reads the key.
    ///
    /// # Errors
    /// `Config` when its value is neither.
    pub(crate) fn read(properties: &ConfigMap) -> Result<Self> {
        match properties.get("volley.fetch.client").map_or("", |value| value.trim()) {
            "" | "native" => Ok(Self::Native),
            "librdkafka" => Ok(Self::Librdkafka),
            other => Err(Error::config(format!("`volley.fetch.client` is `{other}`: it must be native or librdkafka"))),
        }
    }
}

/// The settings of fetch requests, and of what may wait to be read.
#[derive(Clone, Debug)]
pub(crate) struct NativeSettings {
    pub(super) connection: ConnectionSettings,
    /// `client.id`, for the log.
    pub(super) client: String,
    /// `fetch.max.wait.ms`
    pub(super) max_wait: Duration,
    /// `fetch.min.bytes`
    pub(super) min_bytes: i32,
    /// `fetch.max.bytes`
    pub(super) max_bytes: i32,
    /// `max.partition.fetch.bytes`
    pub(super) max_partition_bytes: i32,
    /// Bytes that wait to be read, compressed, beyond which nothing more is asked for. Answers that are on their way then
    /// come on top: one of `fetch.max.bytes` from each broker.
    pub(super) max_waiting_bytes: usize,
    /// `isolation.level`
    pub(super) read_committed: bool,
    /// `client.rack`; empty = none
    pub(super) rack: StrBytes,
    /// `check.crcs`
    pub(super) check_crcs: bool,
    /// `metadata.max.age.ms`
    pub(super) metadata_age: Duration,
}

impl NativeSettings {
    /// From Java's keys, and their translation for librdkafka, which has accepted the values.
    ///
    /// # Errors
    /// `Config`, naming the key whose value is wrong.
    pub(crate) fn read(properties: &ConfigMap, config: &ClientConfig) -> Result<Self> {
        let mut connection = ConnectionSettings::read(properties)?;
        if !properties.contains_key("receive.buffer.bytes") {
            // the system finds the best size by itself
            connection.receive_buffer = None;
        }
        let number = |names: &[&str], default: i32| {
            let value = names.iter().find_map(|name| config.get(name));
            value.and_then(|value| value.trim().parse().ok()).unwrap_or(default)
        };
        let is_true = |name, default| config.get(name).map_or(default, |value| value.eq_ignore_ascii_case("true"));
        let max_bytes = number(&["fetch.max.bytes"], 52_428_800).max(1);
        let queued = number(&["queued.max.messages.kbytes"], 16_384).max(1);
        let age = properties.get("metadata.max.age.ms").and_then(|value| value.trim().parse().ok());
        let wait = number(&["fetch.wait.max.ms", "fetch.max.wait.ms"], 500);
        Ok(Self {
            client: config.get("client.id").unwrap_or("volley").to_owned(),
            connection,
            max_wait: Duration::from_millis(wait.max(0).unsigned_abs().into()),
            min_bytes: number(&["fetch.min.bytes"], 1),
            max_bytes,
            max_partition_bytes: number(&["max.partition.fetch.bytes", "fetch.message.max.bytes"], 1_048_576).max(1),
            max_waiting_bytes: (queued.unsigned_abs() as usize * 1024).min(max_bytes.unsigned_abs() as usize * 2),
            read_committed: config.get("isolation.level") == Some("read_committed"),
            rack: StrBytes::from_string(config.get("client.rack").unwrap_or_default().trim().to_owned()),
            check_crcs: is_true("check.crcs", true),
            metadata_age: age.map_or(METADATA_AGE, Duration::from_millis).max(Duration::from_secs(1)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClientRole, translate};

    fn read(pairs: &[(&str, &str)]) -> (Result<FetchClient>, NativeSettings) {
        let given: ConfigMap = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let config = translate(&given, ClientRole::Consumer).config;
        (FetchClient::read(&given), NativeSettings::read(&given, &config).unwrap())
    }

    #[test]
    fn what_is_not_said_is_limited_as_for_librdkafka() {
        let (client, settings) = read(&[]);
        assert_eq!(client.unwrap(), FetchClient::Native);
        assert_eq!((settings.max_wait, settings.min_bytes), (Duration::from_millis(500), 1));
        assert_eq!((settings.max_bytes, settings.max_partition_bytes), (1 << 20, 1 << 20));
        assert_eq!(settings.max_waiting_bytes, 2 << 20);
        assert!(!settings.read_committed && settings.check_crcs && settings.rack.is_empty());
    }

    #[test]
    fn java_s_keys_say_what_is_fetched() {
        let (client, settings) = read(&[
            ("volley.fetch.client", " librdkafka "),
            ("fetch.max.wait.ms", "100"),
            ("fetch.min.bytes", "5"),
            ("fetch.max.bytes", "50000000"),
            ("max.partition.fetch.bytes", "7000"),
            ("isolation.level", "READ_COMMITTED"),
            ("client.rack", "a"),
            ("check.crcs", "false"),
            ("metadata.max.age.ms", "9000"),
        ]);
        assert_eq!(client.unwrap(), FetchClient::Librdkafka);
        assert_eq!((settings.max_wait, settings.min_bytes), (Duration::from_millis(100), 5));
        assert_eq!((settings.max_bytes, settings.max_partition_bytes), (50_000_000, 7_000));
        assert_eq!(settings.max_waiting_bytes, 16 << 20);
        assert!(settings.read_committed && !settings.check_crcs);
        assert_eq!((settings.rack.as_str(), settings.metadata_age), ("a", Duration::from_secs(9)));
    }

    #[test]
    fn another_client_is_refused_by_name() {
        let error = read(&[("volley.fetch.client", "java")]).0.unwrap_err().to_string();
        assert!(error.contains("volley.fetch.client") && error.contains("java"), "{error}");
    }
}
