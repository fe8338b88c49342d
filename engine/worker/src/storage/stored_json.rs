//! Keys and values of records as they stand in a topic.

use serde_json::Value;
use tracing::warn;
use volley_kafka::LogRecord;

/// The key and the value of a record of the config or status topic; `None` if they cannot be read, which is said once for
/// each. A JSON null is a tombstone too, as in Kafka Connect.
pub(super) fn stored_json<'a>(topic: &str, record: &LogRecord<'a>) -> Option<(&'a str, Option<Value>)> {
    let unreadable = |what: &str, reason: &dyn std::fmt::Display| {
        warn!(topic, partition = record.partition, offset = record.offset, %reason, "could not read the {what} of a record, skipping it");
    };
    let key = match std::str::from_utf8(record.key.unwrap_or_default()) {
        Ok(key) => key,
        Err(error) => {
            unreadable("key", &error);
            return None;
        }
    };
    match record.value.map(serde_json::from_slice::<Value>).transpose() {
        Ok(value) => Some((key, value.filter(|value| !value.is_null()))),
        Err(error) => {
            // the error says where the JSON is wrong, and shows nothing of it
            unreadable("value", &error);
            None
        }
    }
}
