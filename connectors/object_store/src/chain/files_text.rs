//! The files that records would go to, for a user who tries a configuration.

use std::sync::Arc;

use indexmap::IndexMap;
use volley_api::{Records, Result, TopicPartition};

use super::names::{RowSpan, StreamFiles, StreamKey, is_legal_topic};
use super::row_order::offset_of;
use crate::clock::now_ms;
use crate::config::SinkConfig;
use crate::format::Format;

/// A line for each file that these records would go to if they were the first, and for each record that has no place.
pub(crate) fn files_text(config: &SinkConfig, records: &[Records]) -> Result<Vec<String>> {
    let format = Format::new(config.format.clone());
    let partitioner = config.partitioner.partitioner()?;
    let mut found: IndexMap<(StreamKey, TopicPartition), (RowSpan, usize)> = IndexMap::new();
    let mut refused = Vec::new();
    for records in records.iter().filter(|records| is_legal_topic(&records.topic)) {
        let Some(origin) = &records.origin else { continue };
        let split = partitioner.split(records, now_ms())?;
        for (directory, selected) in split.parts {
            let key = StreamKey { topic: Arc::clone(&records.topic), directory };
            let mut offsets = selected.iter().map(|row| offset_of(records, row));
            let Some(first) = offsets.next() else { continue };
            let unseen = (RowSpan { first, last: first }, 0);
            let (span, rows) = found.entry((key, origin.partition.clone())).or_insert(unseen);
            span.last = offsets.last().unwrap_or(first);
            *rows += selected.len();
        }
        let refusals = split.rejected.into_iter();
        refused
            .extend(refusals.map(|(row, reason)| format!("offset {} has no file: {reason}", offset_of(records, row))));
    }
    let root = config.store.url.as_str().trim_end_matches('/');
    let files = found.into_iter().map(|((key, partition), (span, rows))| {
        let path = StreamFiles::new(&config.naming, format.extension(), &key, &partition).path(span);
        format!("{rows} rows would go to {root}/{path}")
    });
    Ok(files.chain(refused).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_records::{batch, sink_config};
    use arrow::array::{ArrayRef, Int64Array, StringArray, StructArray};
    use arrow::datatypes::{DataType, Field};

    #[test]
    fn a_user_sees_the_files_of_a_layout_and_the_rows_that_have_none() {
        let fields = vec![
            (Arc::new(Field::new("id", DataType::Int64, true)), Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef),
            (
                Arc::new(Field::new("country", DataType::Utf8, true)),
                Arc::new(StringArray::from(vec!["DE", "FR", "DE"])) as ArrayRef,
            ),
        ];
        let partition = TopicPartition::new("orders", 2);
        let batch = batch(&partition, 7, Arc::new(StructArray::from(fields)));
        let by = |field: &str| {
            let entries =
                [("partitioner.class", "Field"), ("partition.field.name", field), ("format.class", "JsonLines")];
            files_text(&sink_config(&entries), &batch.records).unwrap()
        };
        let expected = [
            "2 rows would go to file:///unused/topics/orders/country=DE/orders+2+0000000007.json",
            "1 rows would go to file:///unused/topics/orders/country=FR/orders+2+0000000008.json",
        ];
        assert_eq!(by("country"), expected);
        let refused = by("city");
        assert!(refused.len() == 3 && refused[0].starts_with("offset 7 has no file: "), "{refused:?}");
    }
}
