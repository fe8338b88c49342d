//! What a Java sink task asks about its consumer group.

use serde_json::{Value, json};
use volley_api::{Result, SinkContext, TopicPartition};

use crate::sink_requests::{each, partition};

/// COMMITTED of the protocol.
pub(crate) fn committed(request: &Value, context: &SinkContext) -> Result<Value> {
    let partitions: Vec<TopicPartition> = each(&request["partitions"]).filter_map(partition).collect();
    let committed = context.group()?.committed(&partitions)?.into_iter();
    Ok(committed
        .map(|(at, offset)| json!({ "topic": &*at.topic, "partition": at.partition, "offset": offset }))
        .collect())
}

/// GROUP of the protocol.
pub(crate) fn metadata(context: &SinkContext) -> Result<Value> {
    let group = context.group()?.metadata()?;
    Ok(json!({
        "group": group.group_id, "generation": group.generation, "member": group.member_id, "instance": group.instance_id,
    }))
}
