//! What the worker's configuration means for tasks that convert by themselves.

use volley_api::{ConfigMap, Error, Result};

use crate::worker_config::WorkerConfig;

/// The worker's keys of converters. Keys of their settings begin with one of these and a dot.
const CONVERTERS: [&str; 3] = ["key.converter", "value.converter", "header.converter"];
const MAX_POLL_RECORDS: &str = "max.poll.records";
/// What Kafka's consumer has where nothing is configured.
const DEFAULT_MAX_POLL_RECORDS: usize = 500;

impl WorkerConfig {
    /// The worker's own keys of converters, and their settings. MUST NOT be logged: they may have secrets.
    pub fn converter_settings(&self) -> ConfigMap {
        let is_of_converter = |key: &str| {
            CONVERTERS.iter().any(|converter| {
                key.strip_prefix(converter).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        let settings = self.originals().iter().filter(|(key, _)| is_of_converter(key));
        settings.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The most messages that a consumer of this connector gives at once.
    ///
    /// # Errors
    /// `Config` if that is no number above 0.
    pub fn max_poll_records(&self, connector_config: &ConfigMap) -> Result<usize> {
        let properties = self.consumer_properties(connector_config, "", 0);
        let Some(text) = properties.get(MAX_POLL_RECORDS) else { return Ok(DEFAULT_MAX_POLL_RECORDS) };
        text.trim().parse::<u32>().ok().filter(|number| *number > 0).map(|number| number as usize).ok_or_else(|| {
            Error::config(format!(
                "Invalid value {text} for configuration {MAX_POLL_RECORDS} of the consumer: it has to be a number above 0"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    fn worker(more: &[(&str, &str)]) -> WorkerConfig {
        let mut config = config_map(&[("key.converter", "JsonConverter"), ("value.converter", "JsonConverter")]);
        config.insert("offset.storage.file.filename".into(), "/tmp/offsets".into());
        config.extend(config_map(more));
        WorkerConfig::standalone(config).unwrap()
    }

    #[test]
    fn a_task_that_converts_by_itself_gets_the_converters_of_the_worker_and_nothing_else() {
        let given =
            [("key.converter.schemas.enable", "false"), ("sasl.jaas.config", "hunter2"), ("key.converterx", "1")];
        let settings = worker(&given).converter_settings();
        assert!(settings.contains_key("key.converter") && settings.contains_key("value.converter"), "{settings:?}");
        assert_eq!(settings["key.converter.schemas.enable"], "false");
        assert!(!settings.contains_key("sasl.jaas.config") && !settings.contains_key("key.converterx"));
    }

    #[test]
    fn a_batch_has_as_many_messages_as_a_poll_of_the_consumer_would_have() {
        let number =
            |given: &[(&str, &str)], connector: &[(&str, &str)]| worker(given).max_poll_records(&config_map(connector));
        let given = [("consumer.max.poll.records", "70")];
        assert_eq!(number(&[], &[]).unwrap(), 500);
        assert_eq!(number(&given, &[]).unwrap(), 70);
        assert_eq!(number(&given, &[("consumer.override.max.poll.records", "9")]).unwrap(), 9);
        for bad in ["0", "many", "-1"] {
            let error = number(&[], &[("consumer.override.max.poll.records", bad)]).unwrap_err().to_string();
            assert!(error.contains(bad) && error.contains("max.poll.records"), "{error}");
        }
    }
}
