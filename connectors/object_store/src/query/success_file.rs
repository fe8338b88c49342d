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
    query: String,
    /// What was read: partitions with their first offset and the one behind the last, in order.
    input: Vec<(String, i64, i64, i64)>,
}

/// What a run that begins has to do with the result that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// It begins where that one began: it may be the same run, interrupted before its offsets were committed.
    Same,
    /// It begins where that one ended: if there is nothing more, there is nothing to do.
    Behind,
    /// It is another one.
    Other,
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
        let text = |key: &str| Some(value.get(key)?.as_str()?.to_owned());
        Some(Self { attempt: text("attempt")?, query: text("query")?, input: input.collect::<Option<_>>()? })
    }

    /// Whether it was made of just this.
    pub(super) fn is_of(&self, query: &str, input: &Input) -> bool {
        self.query == query && self.input == flat(input)
    }

    /// What a run of `query` from the starts of `input` on has to do with it.
    pub(super) fn relation(&self, query: &str, input: &Input) -> Relation {
        let starts_at = |place: fn(&(String, i64, i64, i64)) -> i64| {
            self.input.iter().all(|part| {
                let number = i32::try_from(part.1);
                let first = number.ok().and_then(|number| input.get(&TopicPartition::new(part.0.as_str(), number)));
                first.is_none_or(|range| range.first == place(part))
            })
        };
        match self.query == query {
            true if starts_at(|part| part.2) => Relation::Same,
            true if starts_at(|part| part.3) => Relation::Behind,
            _ => Relation::Other,
        }
    }
}

fn flat(input: &Input) -> Vec<(String, i64, i64, i64)> {
    let parts = input.iter().filter(|(_, range)| range.first < range.end);
    parts
        .map(|(partition, range)| (partition.topic.to_string(), i64::from(partition.partition), range.first, range.end))
        .collect()
}
