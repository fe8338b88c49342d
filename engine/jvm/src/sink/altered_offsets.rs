//! Offsets of a sink that a user wants to have, as the protocol tells them to its connector.

use serde_json::{Value, json};
use volley_api::{SourceOffset, SourcePartition};

/// `offsets` has the keys that REST has for sinks; `None` forgets an offset.
pub(crate) fn altered_offsets(offsets: &[(SourcePartition, Option<SourceOffset>)]) -> Value {
    let entry = |(partition, offset): &(SourcePartition, Option<SourceOffset>)| {
        let offset = offset.as_ref().and_then(|offset| offset.get("kafka_offset"));
        json!({"topic": partition.get("kafka_topic"), "partition": partition.get("kafka_partition"), "offset": offset})
    };
    offsets.iter().map(entry).collect()
}
