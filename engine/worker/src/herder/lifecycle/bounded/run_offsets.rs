//! The start and end offsets of one run of a bounded connector. They are part of the task configurations, so that they are
//! the same on every worker and after every restart. Java workers pass them to their tasks, which ignore them.

use std::collections::BTreeMap;
use std::sync::Arc;

use volley_api::{ConfigMap, ConnectorKind, Offsets, Plugin, Result, TopicPartition};
use volley_kafka::{LogPlace, TopicSelection, subscribed_offsets};

use crate::connector_config::BoundedRange;
use crate::herder::WorkerContext;
use crate::herder::connector_kind::connector_kind;
use crate::plugin_call::{Deadline, call_plugin};
use crate::task::RunOffsets;

/// The keys in a task's configuration. A source has no offsets there: it knows itself where it ends.
const ENDS: &str = "volley.bounded.ends";
const STARTS: &str = "volley.bounded.starts";

/// The task configurations of a bounded connector, with where the run that they begin starts and ends. Its own
/// configuration has no variables any more.
///
/// # Errors
/// `Retriable` when the broker cannot be asked; `Config` when it refuses, or the configuration is wrong.
///
/// # Cancellation
/// Nothing is lost.
pub(crate) async fn with_run_offsets(
    mut configs: Vec<ConfigMap>,
    context: &Arc<WorkerContext>,
    connector: &str,
    (plugin, config): (&Plugin, ConfigMap),
    deadline: Deadline,
) -> Result<Vec<ConfigMap>> {
    let offsets = match connector_kind(plugin) {
        ConnectorKind::Source => RunOffsets::default(),
        ConnectorKind::Sink => {
            let (context, name) = (Arc::clone(context), connector.to_owned());
            let what = format!("looking for the starts and ends of the topics of connector `{name}`");
            call_plugin(&what, deadline, move || offsets_now(&context, &name, &config)).await??
        }
    };
    write(&mut configs, &offsets);
    Ok(configs)
}

/// Asks where the range of a sink starts and ends in each partition now. Blocks.
fn offsets_now(context: &WorkerContext, connector: &str, config: &ConfigMap) -> Result<RunOffsets> {
    let range = BoundedRange::of(config)?;
    let value = |key: &str| config.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
    let topics = match value("topics.regex") {
        Some(pattern) => TopicSelection::Pattern(pattern.to_owned()),
        None => {
            let topics = value("topics").unwrap_or_default().split(',').map(str::trim);
            TopicSelection::Topics(topics.filter(|topic| !topic.is_empty()).map(str::to_owned).collect())
        }
    };
    let properties = context.config.consumer_properties(config, connector, 0);
    let [starts, ends] = subscribed_offsets(&properties, &topics, [range.start.unwrap_or(LogPlace::First), range.end])?;
    Ok(RunOffsets { starts: range.start.map(|_| starts), ends })
}

/// Writes offsets into the configurations of all tasks.
fn write(configs: &mut [ConfigMap], offsets: &RunOffsets) {
    let (starts, ends) = (offsets.starts.as_ref().map(text_of), text_of(&offsets.ends));
    for config in configs {
        config.insert(ENDS.to_owned(), ends.clone());
        if let Some(starts) = &starts {
            config.insert(STARTS.to_owned(), starts.clone());
        }
    }
}

fn text_of(offsets: &Offsets) -> String {
    let mut topics: BTreeMap<&str, BTreeMap<i32, i64>> = BTreeMap::new();
    for (partition, offset) in offsets {
        topics.entry(&partition.topic).or_default().insert(partition.partition, *offset);
    }
    serde_json::json!(topics).to_string()
}

/// The offsets in the configurations of tasks; `None` if the run is not bounded, or a Java worker made them.
pub(crate) fn read_run_offsets(configs: &[ConfigMap]) -> Option<RunOffsets> {
    let read = |key| offsets_in(configs.iter().find_map(|config| config.get(key))?);
    Some(RunOffsets { ends: read(ENDS)?, starts: read(STARTS) })
}

fn offsets_in(text: &str) -> Option<Offsets> {
    let topics: BTreeMap<String, BTreeMap<i32, i64>> = serde_json::from_str(text).ok()?;
    let offsets = topics.iter().flat_map(|(topic, offsets)| {
        offsets.iter().map(|(partition, offset)| (TopicPartition::new(topic.as_str(), *partition), *offset))
    });
    Some(offsets.collect())
}

/// A task's configuration without these offsets: two that differ in them only mean the same.
pub(crate) fn without_run_offsets(config: &ConfigMap) -> ConfigMap {
    let entries = config.iter().filter(|(key, _)| ![ENDS, STARTS].contains(&key.as_str()));
    entries.map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn starts_and_ends_are_read_as_they_were_written_and_change_nothing_else(
            starts in prop::option::of(prop::collection::btree_map(("[a-z.\"é]{1,5}", 0i32..9), 0i64.., 0..9)),
            ends in prop::collection::btree_map(("[a-z.\"é]{1,5}", 0i32..9), 0i64.., 0..9),
            config in prop::collection::vec(("[a-z.]{1,6}", "[ -~]{0,6}"), 0..4),
        ) {
            let offsets = |offsets: BTreeMap<(String, i32), i64>| -> Offsets {
                let entries = offsets.into_iter();
                entries.map(|((topic, number), offset)| (TopicPartition::new(topic, number), offset)).collect()
            };
            let run = RunOffsets { starts: starts.map(offsets), ends: offsets(ends) };
            let config: ConfigMap = config.into_iter().collect();
            let mut configs = vec![config.clone(); 2];
            prop_assert_eq!(read_run_offsets(&configs), None);
            write(&mut configs, &run);
            prop_assert_eq!(read_run_offsets(&configs), Some(run));
            prop_assert_eq!(without_run_offsets(&configs[1]), config);
        }
    }

    #[test]
    fn malformed_ends_are_none() {
        let config = ConfigMap::from_iter([(ENDS.to_owned(), "[1]".to_owned())]);
        assert_eq!(read_run_offsets(&[config]), None);
    }
}
