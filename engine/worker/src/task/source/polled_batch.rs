//! A batch that a source task polled, as far as reports of errors need it.

use std::sync::Arc;

use arrow::util::display::array_value_to_string;
use serde_json::{Map, Value};
use volley_api::{Column, Records, SourceBatch, SourceOffset, SourcePartition, is_null_map};

/// What is kept of a polled batch until its messages are acknowledged.
#[derive(Debug)]
pub(crate) struct PolledBatch {
    /// Topic, before any transformation.
    pub(crate) topic: Arc<str>,
    /// Where the records come from.
    pub(crate) partition: SourcePartition,
    /// The position after the last of them.
    pub(crate) offset: SourceOffset,
    /// The records as polled; `None` where nobody wants to see them.
    records: Option<Records>,
}

/// A record as it was polled.
pub(crate) struct PolledRecord<'a> {
    /// The batch that it is of.
    pub(crate) records: &'a Records,
    /// Its row there.
    pub(crate) row: usize,
}

impl PolledBatch {
    /// The batch; with its records if reports need them.
    pub(crate) fn new(batch: &SourceBatch, keeps_records: bool) -> Self {
        Self {
            topic: Arc::clone(&batch.records.topic),
            partition: batch.partition.clone(),
            offset: batch.offset.clone(),
            records: keeps_records.then(|| batch.records.clone()),
        }
    }

    /// A record of the batch, if it was kept.
    pub(crate) fn record(&self, row: usize) -> Option<PolledRecord<'_>> {
        let records = self.records.as_ref().filter(|records| row < records.len())?;
        Some(PolledRecord { records, row })
    }

    /// Row `row` of the batch as Kafka Connect shows a source record, without schemas; `None`: no row in particular.
    pub(crate) fn describe(&self, row: Option<usize>) -> String {
        let source = format!(
            "SourceRecord{{sourcePartition={}, sourceOffset={}}}",
            java_map(&self.partition),
            java_map(&self.offset)
        );
        let record = row.and_then(|row| self.record(row));
        let Some(PolledRecord { records, row }) = record else {
            return format!("{source} ConnectRecord{{topic='{}'}}", self.topic);
        };
        let partition = records.kafka_partition.map_or_else(|| "null".to_owned(), |partition| partition.to_string());
        format!(
            "{source} ConnectRecord{{topic='{}', kafkaPartition={partition}, key={}, value={}, timestamp={}}}",
            self.topic,
            text(&records.key, row),
            text(&records.value, row),
            records.timestamps[row]
        )
    }
}

fn text(column: &Column, row: usize) -> String {
    if column.is_null(row) {
        return "null".to_owned();
    }
    array_value_to_string(&column.array, row).unwrap_or_else(|error| format!("<{error}>"))
}

/// `{a=1, b=x}`, as Java shows a map.
fn java_map(map: &Map<String, Value>) -> String {
    if is_null_map(map) {
        return "null".to_owned();
    }
    let entries = map.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    });
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use volley_api::null_map;
    use volley_api::testing::{json_object, records, texts};

    use super::*;

    #[test]
    fn a_row_is_shown_as_kafka_connect_shows_it() {
        let records = Records { timestamps: vec![1, 2].into(), ..records("t", texts(["a", "b"])) };
        let batch = SourceBatch {
            records,
            partition: json_object(r#"{"filename":"f"}"#),
            offset: json_object(r#"{"position":6}"#),
        };
        let expected = "SourceRecord{sourcePartition={filename=f}, sourceOffset={position=6}} \
                        ConnectRecord{topic='t', kafkaPartition=null, key=null, value=b, timestamp=2}";
        assert_eq!(PolledBatch::new(&batch, true).describe(Some(1)), expected);
        let nowhere = SourceBatch { partition: null_map(), offset: null_map(), ..batch.clone() };
        let shown = PolledBatch::new(&nowhere, false).describe(None);
        assert!(shown.starts_with("SourceRecord{sourcePartition=null, sourceOffset=null}"), "{shown}");
        let hidden = PolledBatch::new(&batch, false).describe(Some(1));
        assert!(hidden.ends_with("ConnectRecord{topic='t'}"), "{hidden}");
    }
}
