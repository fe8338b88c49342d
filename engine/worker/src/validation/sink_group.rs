//! The consumer group of a sink, which must not be that of the workers.

use super::section::Section;
use crate::json_config::GivenConfig;

const GROUP: &str = "consumer.override.group.id";

/// Checks the group of a sink's consumer.
pub(super) fn check_sink_group(section: &mut Section, given: &GivenConfig, workers: &str) {
    if let Some(group) = given.values.get(GROUP) {
        // shown here, and again among the overrides, as in Kafka Connect
        section.strays.entry(GROUP.to_owned()).or_default().value = Some(group.clone());
        if group == workers {
            section.error(GROUP, format!("Consumer group {group} conflicts with Connect worker group {workers}"));
        }
        return;
    }
    let Some(name) = section.text("name") else { return };
    let group = format!("connect-{name}");
    if group == workers {
        let message =
            format!("Consumer group for sink connector named {name} conflicts with Connect worker group {workers}");
        section.error("name", message);
    }
}
