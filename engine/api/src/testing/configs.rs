//! Configurations, source partitions and offsets in a line.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{ConfigMap, SourceContext, SourceOffset, SourcePartition};

/// A configuration of these entries, in this order.
pub fn config_map(entries: &[(&str, &str)]) -> ConfigMap {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A JSON object, which a source partition and a source offset are.
///
/// # Panics
/// If the text is no JSON object.
pub fn json_object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("`{text}` is no JSON object: {error}"))
}

/// The context of task `task` of a source, where this is the stored offset of every source partition.
pub fn source_context(task: usize, offset: Option<SourceOffset>) -> SourceContext {
    SourceContext::new("source", task).with_offsets(Arc::new(move |_: &SourcePartition| Ok(offset.clone())))
}
