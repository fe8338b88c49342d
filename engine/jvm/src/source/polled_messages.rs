//! The messages of one poll, as batches of columns.
//!
//! A batch gets the offset behind which nothing of its source partition is in a later batch: its offset may be stored as soon
//! as it and those before it are delivered.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::BinaryBuilder;
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, Header, Headers, Records, RowIndex, SourceBatch, SourceOffset, Value, null_map};

use super::grouping::{ANY_PARTITION, GroupKey, Grouping};
use crate::body::{Body, BodyError};

/// The JSON of a record without partition or offset.
const NULL: &[u8] = b"null";
/// Bytes of keys or of values of a batch, from which on another one is begun: Arrow counts them in 32 bits.
const BATCH_BYTES: usize = 1 << 28;

/// A batch, and the sequence number of each of its rows.
#[derive(Debug)]
pub(crate) struct NumberedBatch {
    pub(crate) batch: SourceBatch,
    pub(crate) sequences: Vec<u64>,
}

#[derive(Debug)]
struct Group {
    key: GroupKey,
    keys: BinaryBuilder,
    values: BinaryBuilder,
    timestamps: Vec<i64>,
    headers: Headers,
    has_headers: bool,
    sequences: Vec<u64>,
    offset: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Source {
    partition: SourceOffset,
    latest: usize,
}

/// Collects the MESSAGES of a poll.
#[derive(Debug, Default)]
pub(crate) struct PolledMessages {
    grouping: Grouping,
    groups: Vec<Group>,
    topics: Vec<Arc<str>>,
    topic_numbers: HashMap<Arc<str>, usize>,
    sources: Vec<Source>,
    source_numbers: HashMap<Vec<u8>, usize>,
    /// Of the row before: most rows are like it.
    latest: Option<(GroupKey, usize)>,
}

impl PolledMessages {
    /// Adds the rows of a MESSAGES body.
    ///
    /// # Errors
    /// If it is not what the protocol says.
    pub(crate) fn add(&mut self, body: &[u8]) -> Result<(), BodyError> {
        let mut body = Body::new(body);
        let first = body.u64()?;
        let topics: Vec<usize> =
            (0..body.count(4)?).map(|_| Ok(self.topic(body.text()?))).collect::<Result<_, BodyError>>()?;
        let pairs: Vec<(usize, Option<&[u8]>)> = (0..body.count(8)?)
            .map(|_| Ok((self.source(body.bytes()?)?, body.bytes()?)))
            .collect::<Result<_, BodyError>>()?;
        for row in 0..body.count(32)? as u64 {
            let topic = *topics.get(body.u32()? as usize).ok_or_else(|| no_such("topic"))?;
            let (wanted, timestamp) = (body.i32()?, body.i64()?);
            let (source, offset) = *pairs.get(body.u32()? as usize).ok_or_else(|| no_such("pair"))?;
            let (key, value) = (body.bytes()?, body.bytes()?);
            let group = self.group(GroupKey { topic, wanted, source }, key, value);
            let group = &mut self.groups[group];
            group.keys.append_option(key);
            group.values.append_option(value);
            group.timestamps.push(timestamp);
            let headers = headers(&mut body)?;
            group.has_headers |= !headers.is_empty();
            group.headers.push(headers);
            let sequence = first.checked_add(row).ok_or_else(|| no_such("sequence"))?;
            group.sequences.push(sequence);
            let latest = self.sources[source].latest;
            set(&mut self.groups[latest].offset, offset);
        }
        body.end()
    }

    fn topic(&mut self, name: &str) -> usize {
        if let Some(number) = self.topic_numbers.get(name) {
            return *number;
        }
        let topic: Arc<str> = name.into();
        self.topics.push(Arc::clone(&topic));
        self.topic_numbers.insert(topic, self.topics.len() - 1);
        self.topics.len() - 1
    }

    fn source(&mut self, json: Option<&[u8]>) -> Result<usize, BodyError> {
        let json = json.unwrap_or(NULL);
        if let Some(number) = self.source_numbers.get(json) {
            return Ok(*number);
        }
        self.sources.push(Source { partition: object(json)?, latest: usize::MAX });
        self.source_numbers.insert(json.to_vec(), self.sources.len() - 1);
        Ok(self.sources.len() - 1)
    }

    fn group(&mut self, group_key: GroupKey, key: Option<&[u8]>, value: Option<&[u8]>) -> usize {
        let has_room = |group: &usize| {
            let fits = |builder: &BinaryBuilder, bytes: Option<&[u8]>| {
                builder.values_slice().is_empty()
                    || builder.values_slice().len() + bytes.map_or(0, <[u8]>::len) <= BATCH_BYTES
            };
            fits(&self.groups[*group].keys, key) && fits(&self.groups[*group].values, value)
        };
        let joined = match self.latest {
            Some((latest, group)) if latest == group_key => Some(group),
            _ => self.grouping.joined(&group_key),
        };
        if let Some(group) = joined.filter(has_room) {
            self.latest = Some((group_key, group));
            return group;
        }
        let group = self.grouping.open(group_key);
        self.latest = Some((group_key, group));
        self.groups.push(Group {
            key: group_key,
            keys: BinaryBuilder::new(),
            values: BinaryBuilder::new(),
            timestamps: Vec::new(),
            headers: Vec::new(),
            has_headers: false,
            sequences: Vec::new(),
            offset: None,
        });
        self.sources[group_key.source].latest = group;
        group
    }

    /// The batches, in the order in which they have to be produced.
    ///
    /// # Errors
    /// If an offset is not an object.
    pub(crate) fn finish(self) -> Result<Vec<NumberedBatch>, BodyError> {
        let (topics, sources) = (self.topics, self.sources);
        let batch = |group: Group| {
            let topic = Arc::clone(&topics[group.key.topic]);
            let partition = sources[group.key.source].partition.clone();
            group.finish(topic, partition)
        };
        self.groups.into_iter().map(batch).collect()
    }
}

impl Group {
    fn finish(mut self, topic: Arc<str>, partition: SourceOffset) -> Result<NumberedBatch, BodyError> {
        let column = |name, mut builder: BinaryBuilder| {
            Column::new(Arc::new(Field::new(name, DataType::Binary, true)), Arc::new(builder.finish()))
        };
        let records = Records {
            topic,
            kafka_partition: (self.key.wanted != ANY_PARTITION).then_some(self.key.wanted),
            key: column("key", std::mem::take(&mut self.keys)),
            value: column("value", std::mem::take(&mut self.values)),
            rows: RowIndex::all(self.timestamps.len()),
            timestamps: self.timestamps.into(),
            headers: self.has_headers.then(|| Arc::new(self.headers)),
            origin: None,
        };
        let offset = object(self.offset.as_deref().unwrap_or(NULL))?;
        Ok(NumberedBatch { batch: SourceBatch { records, partition, offset }, sequences: self.sequences })
    }
}

fn headers(body: &mut Body<'_>) -> Result<Vec<Header>, BodyError> {
    let header = |body: &mut Body<'_>| {
        let name = body.text()?;
        Ok(Header::new(name, body.bytes()?.map_or(Value::Null, |bytes| Value::Bytes(bytes.to_vec()))))
    };
    (0..body.count(8)?).map(|_| header(body)).collect()
}

/// The JSON object of a partition or offset, or what stands for null.
fn object(json: &[u8]) -> Result<SourceOffset, BodyError> {
    let content = |error| BodyError::Content(format!("a source partition or offset is not a JSON object: {error}"));
    let parsed: Option<SourceOffset> = serde_json::from_slice(json).map_err(content)?;
    Ok(parsed.unwrap_or_else(null_map))
}

fn set(to: &mut Option<Vec<u8>>, from: Option<&[u8]>) {
    match (to, from) {
        (Some(to), Some(from)) => {
            to.clear();
            to.extend_from_slice(from);
        }
        (to, from) => *to = from.map(<[u8]>::to_vec),
    }
}

fn no_such(what: &str) -> BodyError {
    BodyError::Content(format!("a row's {what} is not there"))
}
