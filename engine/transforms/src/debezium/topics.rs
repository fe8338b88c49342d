//! Records by the topics that a column names.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray};
use volley_api::{Records, Result};

use super::events::taken;

/// The rows of records by topic, in the order in which the topics come first. Where `topics` has no name, or a blank one, a row
/// stays in the topic that it is in.
pub(super) fn by_topic(records: &Records, rows: &[u32], topics: Option<&ArrayRef>) -> Result<Vec<Records>> {
    let Some(topics) = topics else { return Ok(taken(records, rows)?.into_iter().collect()) };
    let topics = topics.as_string::<i32>();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut routed: Vec<(&str, Vec<u32>)> = Vec::new();
    for row in rows {
        let named = topics.is_valid(*row as usize).then(|| topics.value(*row as usize));
        let topic = named.filter(|topic| !topic.trim().is_empty()).unwrap_or(&records.topic);
        let place = *places.entry(topic).or_insert_with(|| {
            routed.push((topic, Vec::new()));
            routed.len() - 1
        });
        routed[place].1.push(*row);
    }
    let parts = routed.into_iter().map(|(topic, rows)| {
        let part = taken(records, &rows)?;
        Ok(part.map(|part| if *part.topic == *topic { part } else { Records { topic: topic.into(), ..part } }))
    });
    parts.filter_map(Result::transpose).collect()
}
