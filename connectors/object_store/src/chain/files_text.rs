//! The files that records would go to, for a user who tries a configuration.

use std::sync::Arc;

use indexmap::IndexMap;
use volley_api::{Records, Result};

use super::file_name::{StreamFiles, StreamKey, is_legal_topic};
use super::row_order::offset_of;
use crate::clock::now_ms;
use crate::config::SinkConfig;
use crate::format::Format;

/// A line for each file that these records would go to if they were the first, and for each record that has no place.
pub(crate) fn files_text(config: &SinkConfig, records: &[Records]) -> Result<Vec<String>> {
    let format = Format::new(config.format.clone());
    let partitioner = config.partitioner.partitioner()?;
    let mut rows: IndexMap<String, usize> = IndexMap::new();
    let mut refused = Vec::new();
    let mut first_offsets: IndexMap<(StreamKey, i32), i64> = IndexMap::new();
    for records in records.iter().filter(|records| is_legal_topic(&records.topic)) {
        let Some(origin) = &records.origin else { continue };
        let split = partitioner.split(records, now_ms())?;
        for (directory, selected) in split.parts {
            let key = StreamKey { topic: Arc::clone(&records.topic), directory };
            let first = selected.iter().next().map_or(0, |row| offset_of(records, row));
            let first = *first_offsets.entry((key.clone(), origin.partition.partition)).or_insert(first);
            let files = StreamFiles::new(&config.naming, format.extension(), &key, &origin.partition);
            *rows.entry(files.path(first)).or_default() += selected.len();
        }
        let refusals = split.rejected.into_iter();
        refused
            .extend(refusals.map(|(row, reason)| format!("offset {} has no file: {reason}", offset_of(records, row))));
    }
    let root = config.store.url.as_str().trim_end_matches('/');
    let files = rows.into_iter().map(|(path, rows)| format!("{rows} rows would go to {root}/{path}"));
    Ok(files.chain(refused).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringArray, StructArray};
    use arrow::datatypes::{DataType, Field};
    use volley_api::TopicPartition;

    use super::*;
    use crate::test_records::{batch, sink_config};

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
