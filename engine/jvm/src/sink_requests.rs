//! What a Java sink task asks of the worker, carried to its context.

use std::time::Duration;

use serde_json::Value;
use volley_api::{SinkContext, TopicPartition};

/// Asks for what is in `requests`, REQUESTS of the protocol, but for the time-out.
pub(crate) fn apply(requests: &Value, context: &SinkContext) {
    if requests["commit"] == true {
        context.request_commit();
    }
    for seek in each(&requests["seeks"]) {
        if let (Some(partition), Some(offset)) = (partition(seek), seek["offset"].as_i64()) {
            context.seek(partition, offset);
        }
    }
    for pause in each(&requests["pauses"]) {
        let Some(partition) = partition(pause) else { continue };
        match pause["paused"] == true {
            true => context.pause(&[partition]),
            false => context.resume(&[partition]),
        }
    }
}

/// How long the task wants to wait.
pub(crate) fn timeout(requests: &Value) -> Option<Duration> {
    requests["timeout"].as_u64().map(Duration::from_millis)
}

/// The items of a list; none of what is no list.
pub(crate) fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The partition that an object names.
pub(crate) fn partition(of: &Value) -> Option<TopicPartition> {
    let partition = i32::try_from(of["partition"].as_i64()?).ok()?;
    Some(TopicPartition::new(of["topic"].as_str()?, partition))
}
