//! Records that a sink task reports as bad (KIP-610), at any time.

use std::sync::Arc;

use arrow::array::BinaryArray;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use volley_api::{Error, OffsetRange, Origin, RawBatch, RawHeader, Result, SinkContext, TimestampType, TopicPartition};

use crate::java_error;

/// Reports the record of an ERRANT request.
///
/// # Errors
/// If errors are not tolerated, or the dead letter cannot be written.
pub(crate) fn report(request: &Value, context: &SinkContext) -> Result<Value> {
    let batch = Arc::new(batch(request)?);
    let class = request["class"].as_str().unwrap_or_default();
    context.report(&batch, 0, class, java_error::from_json(&request["error"]))?;
    Ok(json!({}))
}

/// The message as a batch of one row.
fn batch(request: &Value) -> Result<RawBatch> {
    let number = |name: &str| request[name].as_i64().ok_or_else(|| missing(name));
    let topic = request["topic"].as_str().ok_or_else(|| missing("topic"))?;
    let partition = i32::try_from(number("partition")?).map_err(|_| missing("partition"))?;
    let (offset, timestamp) = (number("offset")?, number("timestamp")?);
    let origin = Origin {
        partition: TopicPartition::new(topic, partition),
        range: OffsetRange { first: offset, end: offset.saturating_add(1) },
        offsets: vec![offset].into(),
        timestamp_type: match number("timestamp_type")? {
            1 => TimestampType::LogAppendTime,
            _ => TimestampType::CreateTime,
        },
        timestamps: vec![timestamp].into(),
    };
    let headers = headers(&request["headers"])?;
    Ok(RawBatch {
        origin: Arc::new(origin),
        keys: BinaryArray::from_iter([bytes(&request["key"])?]),
        values: BinaryArray::from_iter([bytes(&request["value"])?]),
        headers: (!headers.is_empty()).then(|| Arc::new(vec![headers])),
    })
}

fn headers(headers: &Value) -> Result<Vec<RawHeader>> {
    let headers = headers.as_array().map_or(&[][..], Vec::as_slice);
    let header = |header: &Value| {
        let name = header[0].as_str().ok_or_else(|| missing("headers"))?;
        Ok(RawHeader { name: name.into(), value: bytes(&header[1])? })
    };
    headers.iter().map(header).collect()
}

fn bytes(base64: &Value) -> Result<Option<Vec<u8>>> {
    let decode = |text| STANDARD.decode(text).map_err(|error| missing("base64").with_source(error));
    base64.as_str().map(decode).transpose()
}

fn missing(name: &str) -> Error {
    Error::fatal(format!("the Java host reported a bad record without its `{name}`: install the host of this release"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn a_reported_record_has_its_place_and_its_bytes() {
        let request = json!({
            "topic": "t", "partition": 3, "offset": 42, "timestamp": 7, "timestamp_type": 1,
            "key": null, "value": STANDARD.encode("v"), "headers": [["h", null], ["i", STANDARD.encode("x")]],
        });
        let batch = batch(&request).unwrap();
        assert_eq!(batch.origin.partition, TopicPartition::new("t", 3));
        assert_eq!((batch.origin.offsets[0], batch.origin.timestamps[0]), (42, 7));
        assert_eq!(batch.origin.timestamp_type, TimestampType::LogAppendTime);
        assert!(batch.keys.is_null(0));
        assert_eq!(batch.values.value(0), b"v");
        assert_eq!(batch.headers.unwrap()[0][1].value.as_deref(), Some(b"x".as_slice()));
    }

    #[test]
    fn a_report_without_a_place_is_refused() {
        let error = batch(&json!({"topic": "t", "partition": 0})).unwrap_err().to_string();
        assert!(error.contains("`offset`"), "{error}");
    }
}
