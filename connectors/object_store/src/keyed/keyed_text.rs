//! The files that records would go to, for a user who tries a configuration.

use indexmap::IndexMap;
use volley_api::{Records, RejectedRow, Result, TopicPartition};

use super::keyed_batch::KeyedBatch;
use super::keyed_template::KeyedTemplate;
use crate::chain::{is_legal_topic, offset_of};
use crate::config::SinkConfig;
use crate::format::Format;

/// A line for each file that these records would go to, and for each record whose key names none.
pub(crate) fn keyed_text(config: &SinkConfig, template: &KeyedTemplate, records: &[Records]) -> Result<Vec<String>> {
    let format = Format::new(config.format.clone());
    let batch = KeyedBatch { template, format: &format, null_values: &config.null_values, connector: "" };
    let mut offsets: IndexMap<String, (TopicPartition, i64)> = IndexMap::new();
    let mut refused: Vec<RejectedRow> = Vec::new();
    for records in records.iter().filter(|records| is_legal_topic(&records.topic)) {
        let Some(origin) = &records.origin else { continue };
        for (row, path) in batch.paths(records, &origin.partition, &mut refused)? {
            offsets.insert(path, (origin.partition.clone(), offset_of(records, row)));
        }
    }
    let root = config.store.url.as_str().trim_end_matches('/');
    let files = offsets.into_iter().map(|(path, (partition, offset))| {
        format!("the record at offset {offset} of {partition} would be in {root}/{path}")
    });
    Ok(files.chain(refused.into_iter().map(|row| row.error.to_string())).collect())
}
