//! `_SUCCESS`: says that a result is complete, what it was made of, and which files it has. Readers pass over names that begin
//! with `_`.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use volley_api::{OffsetRange, TopicPartition};

use crate::chain::NewFile;

/// The offsets that were read of each partition, without partitions of which nothing was.
pub(super) type Input = BTreeMap<TopicPartition, OffsetRange>;

/// What such a file says.
#[derive(Debug)]
pub(super) struct SuccessFile {
    /// The attempt that wrote it.
    pub(super) attempt: String,
    /// What was read: partitions with their first offset and the one behind the last, in order.
    pub(super) input: Vec<(String, i64, i64, i64)>,
}

impl SuccessFile {
    /// The text of a new one.
    pub(super) fn new_text(attempt: &str, connector: &str, query: &str, input: &Input, files: &[NewFile]) -> Bytes {
        let input: Vec<Value> = flat(input)
            .into_iter()
            .map(|(topic, partition, start, end)| {
                json!({"topic": topic, "partition": partition, "start": start, "end": end})
            })
            .collect();
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        let mut files: Vec<&NewFile> = files.iter().collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let files: Vec<Value> =
            files.into_iter().map(|file| json!({"path": file.path, "rows": file.rows, "bytes": file.bytes})).collect();
        let text = json!({
            "attempt": attempt, "connector": connector, "query": query, "input": input, "rows": rows, "files": files,
        });
        Bytes::from(format!("{text:#}\n"))
    }

    /// Reads one; `None` if it is not ours.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let input = value.get("input")?.as_array()?.iter().map(|part| {
            let number = |key: &str| part.get(key)?.as_i64();
            Some((part.get("topic")?.as_str()?.to_owned(), number("partition")?, number("start")?, number("end")?))
        });
        Some(Self { attempt: value.get("attempt")?.as_str()?.to_owned(), input: input.collect::<Option<_>>()? })
    }

    /// Whether it was made of just this.
    pub(super) fn is_of(&self, input: &Input) -> bool {
        self.input == flat(input)
    }
}

fn flat(input: &Input) -> Vec<(String, i64, i64, i64)> {
    let parts = input.iter().filter(|(_, range)| range.first < range.end);
    parts
        .map(|(partition, range)| (partition.topic.to_string(), i64::from(partition.partition), range.first, range.end))
        .collect()
}
