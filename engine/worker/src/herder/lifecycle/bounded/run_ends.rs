//! The end offsets of one run of a bounded connector. They are part of the task configurations, so that they are the same
//! on every worker and after every restart. Java workers pass them to their tasks, which ignore them.

use std::collections::BTreeMap;
use std::sync::Arc;

use volley_api::{ConfigMap, ConnectorKind, Offsets, Plugin, Result, TopicPartition};
use volley_kafka::{TopicSelection, subscribed_end_offsets};

use crate::herder::WorkerContext;
use crate::herder::connector_kind::connector_kind;
use crate::plugin_call::{Deadline, call_plugin};

/// The key in a task's configuration. A source has no offsets there: it knows itself where it ends.
const KEY: &str = "volley.bounded.ends";

/// The task configurations of a bounded connector, with where the run that they begin ends. Its own configuration has no
/// variables any more.
///
/// # Errors
/// `Retriable` when the broker cannot be asked; `Config` when it refuses, or the configuration is wrong.
///
/// # Cancellation
/// Nothing is lost.
pub(crate) async fn with_ends(
    mut configs: Vec<ConfigMap>,
    context: &Arc<WorkerContext>,
    connector: &str,
    (plugin, config): (&Plugin, ConfigMap),
    deadline: Deadline,
) -> Result<Vec<ConfigMap>> {
    let ends = match connector_kind(plugin) {
        ConnectorKind::Source => Offsets::new(),
        ConnectorKind::Sink => {
            let (context, name) = (Arc::clone(context), connector.to_owned());
            let what = format!("looking for the ends of the topics of connector `{name}`");
            call_plugin(&what, deadline, move || ends_now(&context, &name, &config)).await??
        }
    };
    write_ends(&mut configs, &ends);
    Ok(configs)
}

/// Asks where the topics of a sink end now. Blocks.
fn ends_now(context: &WorkerContext, connector: &str, config: &ConfigMap) -> Result<Offsets> {
    let value = |key: &str| config.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
    let topics = match value("topics.regex") {
        Some(pattern) => TopicSelection::Pattern(pattern.to_owned()),
        None => {
            let topics = value("topics").unwrap_or_default().split(',').map(str::trim);
            TopicSelection::Topics(topics.filter(|topic| !topic.is_empty()).map(str::to_owned).collect())
        }
    };
    subscribed_end_offsets(&context.config.consumer_properties(config, connector, 0), &topics)
}

/// Writes ends into the configurations of all tasks.
fn write_ends(configs: &mut [ConfigMap], ends: &Offsets) {
    let mut topics: BTreeMap<&str, BTreeMap<i32, i64>> = BTreeMap::new();
    for (partition, end) in ends {
        topics.entry(&partition.topic).or_default().insert(partition.partition, *end);
    }
    let text = serde_json::json!(topics).to_string();
    for config in configs {
        config.insert(KEY.to_owned(), text.clone());
    }
}

/// The ends in the configurations of tasks; `None` if the run is not bounded, or a Java worker made them.
pub(crate) fn read_ends(configs: &[ConfigMap]) -> Option<Offsets> {
    let text = configs.iter().find_map(|config| config.get(KEY))?;
    let topics: BTreeMap<String, BTreeMap<i32, i64>> = serde_json::from_str(text).ok()?;
    let ends = topics.iter().flat_map(|(topic, ends)| {
        ends.iter().map(|(partition, end)| (TopicPartition::new(topic.as_str(), *partition), *end))
    });
    Some(ends.collect())
}

/// A task's configuration without the ends: two that differ in these only mean the same.
pub(crate) fn without_ends(config: &ConfigMap) -> ConfigMap {
    let entries = config.iter().filter(|(key, _)| *key != KEY);
    entries.map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ends_are_read_as_they_were_written_and_change_nothing_else(
            ends in prop::collection::btree_map(("[a-z.\"é]{1,5}", 0i32..9), 0i64.., 0..9),
            config in prop::collection::vec(("[a-z.]{1,6}", "[ -~]{0,6}"), 0..4),
        ) {
            let ends: Offsets =
                ends.into_iter().map(|((topic, number), end)| (TopicPartition::new(topic, number), end)).collect();
            let config: ConfigMap = config.into_iter().collect();
            let mut configs = vec![config.clone(); 2];
            prop_assert_eq!(read_ends(&configs), None);
            write_ends(&mut configs, &ends);
            prop_assert_eq!(read_ends(&configs), Some(ends));
            prop_assert_eq!(without_ends(&configs[1]), config);
        }
    }

    #[test]
    fn malformed_ends_are_none() {
        let config = ConfigMap::from_iter([(KEY.to_owned(), "[1]".to_owned())]);
        assert_eq!(read_ends(&[config]), None);
    }
}
