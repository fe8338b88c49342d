//! What was replayed, in a compacted topic beside the dead letter topic, where every machine finds it and nothing expires.
//!
//! ```text
//!  key   {"topic_id": "…", "partition": 0, "first": 3}
//!  value {"end": 17}                                     the letters at offsets 3 to 16 were replayed
//! ```
//!
//! Ranges only grow, and what counts is all of them together: so it does not matter in which order they were written, nor
//! that the record of a range outlives its being part of a larger one. Offsets mean something within one topic only, hence
//! its id: of a dead letter topic that was deleted and made again, nothing was replayed.
//!
//! Committed offsets of a group could not say it: letters are replayed in any choice, and offsets of a group without members
//! expire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use volley_api::{Error, Result};
use volley_kafka::{
    Admin, LogEnds, LogEntry, LogListener, LogRecord, LogSettings, NewTopic, ReadingSettings, TopicDescription,
    TopicLog,
};

use super::clients::DeadLetterClients;
use super::replayed_offsets::{OffsetsOf, ReplayedOffsets};

/// How long a broker may not know a newly created topic.
const VISIBLE: Duration = Duration::from_secs(30);

/// Interval between two checks for it.
const VISIBLE_LOOK: Duration = Duration::from_millis(50);

/// How long reading or writing may make no progress.
const TIME_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize, Serialize)]
struct Key {
    topic_id: String,
    partition: i32,
    first: i64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Value {
    end: i64,
}

/// The name of the topic that remembers which letters of a dead letter topic were replayed.
pub fn memory_topic(dead_letters: &str) -> String {
    format!("{dead_letters}-replayed")
}

/// What was replayed of one dead letter topic.
pub(crate) struct ReplayMemory {
    topic_id: String,
    replayed: Arc<Mutex<ReplayedOffsets>>,
    /// `None` where there is no topic yet, and none may be made.
    log: Option<TopicLog>,
}

impl ReplayMemory {
    /// Reads what is remembered. Makes no topic.
    pub(crate) fn read(
        clients: &DeadLetterClients,
        admin: &Admin,
        dead_letters: &str,
        described: &TopicDescription,
    ) -> Result<Self> {
        match admin.topic(&memory_topic(dead_letters))? {
            Some(found) => Self::open(clients, dead_letters, described, found.partitions),
            None => Ok(Self { topic_id: described.id.clone(), replayed: Arc::default(), log: None }),
        }
    }

    /// The same, to be added to: makes the topic where there is none.
    pub(crate) fn keep(
        clients: &DeadLetterClients,
        admin: &Admin,
        dead_letters: &str,
        described: &TopicDescription,
    ) -> Result<Self> {
        let partitions = ensure(admin, &memory_topic(dead_letters))?;
        Self::open(clients, dead_letters, described, partitions)
    }

    fn open(
        clients: &DeadLetterClients,
        dead_letters: &str,
        described: &TopicDescription,
        partitions: i32,
    ) -> Result<Self> {
        let replayed = Arc::new(Mutex::new(ReplayedOffsets::default()));
        let topic_id = described.id.clone();
        let listener = Listener { topic_id: topic_id.clone(), replayed: Arc::clone(&replayed) };
        let reading = ReadingSettings {
            topic: memory_topic(dead_letters),
            partitions,
            consumer: clients.consumer.clone(),
            has_transactions: false,
        };
        let settings = LogSettings { reading, producer: clients.producer.clone() };
        let ends = Arc::new(LogEnds::connect(&clients.consumer)?);
        let log = TopicLog::start(&settings, ends, Box::new(listener), TIME_LIMIT)?;
        Ok(Self { topic_id, replayed, log: Some(log) })
    }

    /// Whether the letter at this offset was replayed.
    pub(crate) fn contains(&self, partition: i32, offset: i64) -> bool {
        self.replayed.lock().contains(partition, offset)
    }

    /// Remembers these letters. They are remembered for good when this returns.
    pub(crate) fn add(&self, letters: &[(i32, i64)]) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        let records = records(&self.topic_id, &mut self.replayed.lock(), letters);
        let entries: Vec<_> = records.iter().map(|(key, value)| LogEntry { key, value: Some(value) }).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let written = log.write_and_read(&entries, TIME_LIMIT)?;
        let written: Result<Vec<_>> = written.into_iter().collect();
        written.map(drop).map_err(|error| {
            let message = format!("could not remember in topic {} what was replayed", log.topic());
            Error::new(error.kind(), message).with_source(error)
        })
    }
}

/// The records that add letters to what is remembered: one for each range that has grown.
fn records(topic_id: &str, replayed: &mut ReplayedOffsets, letters: &[(i32, i64)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut grown: BTreeMap<(i32, i64), i64> = BTreeMap::new();
    for (partition, offset) in letters {
        let range = replayed.add(OffsetsOf { partition: *partition, first: *offset, end: offset + 1 });
        // a range that has become part of this one need not be written
        let is_part = |known: &(i32, i64)| known.0 == range.partition && (range.first..range.end).contains(&known.1);
        let parts: BTreeSet<_> = grown.keys().filter(|known| is_part(known)).copied().collect();
        grown.retain(|known, _| !parts.contains(known));
        grown.insert((range.partition, range.first), range.end);
    }
    let json = |value: serde_json::Result<Vec<u8>>| value.expect("numbers and texts are JSON");
    let record = |((partition, first), end)| {
        let key = Key { topic_id: topic_id.to_owned(), partition, first };
        (json(serde_json::to_vec(&key)), json(serde_json::to_vec(&Value { end })))
    };
    grown.into_iter().map(record).collect()
}

struct Listener {
    topic_id: String,
    replayed: Arc<Mutex<ReplayedOffsets>>,
}

impl LogListener for Listener {
    fn record(&mut self, record: &LogRecord<'_>) {
        let key = record.key.and_then(|key| serde_json::from_slice::<Key>(key).ok());
        let value = record.value.and_then(|value| serde_json::from_slice::<Value>(value).ok());
        let (Some(key), Some(value)) = (key, value) else { return };
        if key.topic_id == self.topic_id {
            self.replayed.lock().add(OffsetsOf { partition: key.partition, first: key.first, end: value.end });
        }
    }
}

/// Makes sure that the topic exists, and is compacted; its number of partitions.
fn ensure(admin: &Admin, topic: &str) -> Result<i32> {
    if let Some(found) = admin.topic(topic)? {
        check_policy(admin, topic)?;
        return Ok(found.partitions);
    }
    let configs = BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
    let new = NewTopic { name: topic.to_owned(), partitions: 1, replication_factor: -1, configs };
    admin.create_topic(&new).map_err(|error| {
        let message = format!(
            "could not create topic {topic}, in which it is remembered what was replayed: create it yourself, with one \
             partition and cleanup.policy=compact"
        );
        Error::new(error.kind(), message).with_source(error)
    })?;
    let deadline = Instant::now() + VISIBLE;
    loop {
        match admin.topic(topic)? {
            Some(found) if found.partitions > 0 => return Ok(found.partitions),
            _ if Instant::now() >= deadline => {
                return Err(Error::retriable(format!("topic {topic} was created, but is not there yet: try again")));
            }
            _ => thread::sleep(VISIBLE_LOOK),
        }
    }
}

/// A topic whose records expire would forget. Who may not see its configuration is trusted.
fn check_policy(admin: &Admin, topic: &str) -> Result<()> {
    let Ok(configs) = admin.topic_config(topic) else { return Ok(()) };
    match configs.get("cleanup.policy").map(String::as_str) {
        None | Some("compact") => Ok(()),
        Some(policy) => Err(Error::config(format!(
            "topic {topic} is to remember what was replayed, but its cleanup.policy is {policy}: set it to compact"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(topic_id: &str, records: &[(Vec<u8>, Vec<u8>)]) -> ReplayedOffsets {
        let replayed = Arc::new(Mutex::new(ReplayedOffsets::default()));
        let mut listener = Listener { topic_id: topic_id.to_owned(), replayed: Arc::clone(&replayed) };
        for (key, value) in records {
            let (key, value) = (Some(key.as_slice()), Some(value.as_slice()));
            listener.record(&LogRecord { partition: 0, offset: 0, timestamp: None, key, value });
        }
        replayed.lock().clone()
    }

    #[test]
    fn what_is_written_is_remembered_in_any_order_and_a_new_topic_of_the_name_has_nothing() {
        let mut replayed = ReplayedOffsets::default();
        let mut written = records("id", &mut replayed, &[(0, 3), (0, 4), (1, 3), (0, 9)]);
        assert_eq!(written.len(), 3, "one for each range");
        written.extend(records("id", &mut replayed, &[(0, 5), (0, 6)]));
        assert_eq!(written[3].0, written[0].0, "a range that grows keeps its key, so that the topic stays small");
        assert_eq!(remembered("id", &written), replayed);
        written.reverse();
        assert_eq!(remembered("id", &written), replayed);
        assert_eq!(remembered("other", &written), ReplayedOffsets::default());
    }

    #[test]
    fn ranges_that_meet_within_a_batch_are_one_record() {
        let written = records("id", &mut ReplayedOffsets::default(), &[(0, 1), (0, 3), (0, 2)]);
        let texts = [written[0].0.as_slice(), &written[0].1].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(texts, [r#"{"topic_id":"id","partition":0,"first":1}"#, r#"{"end":4}"#]);
        assert_eq!(written.len(), 1);
    }

    #[test]
    fn what_others_have_written_there_is_passed_over() {
        let records: Vec<(Vec<u8>, Vec<u8>)> = [
            (r"nonsense", r#"{"end":4}"#),
            (r#"{"topic_id":"id","partition":0,"first":1}"#, "[]"),
            (r#"{"topic_id":"id","partition":0,"first":9}"#, r#"{"end":4}"#),
            (r#"{"topic_id":"id","partition":0,"first":5,"more":1}"#, r#"{"end":7,"at":1}"#),
        ]
        .map(|(key, value)| (key.into(), value.into()))
        .into();
        let replayed = remembered("id", &records);
        let found: Vec<_> = (0..12).filter(|offset| replayed.contains(0, *offset)).collect();
        assert_eq!(found, [5, 6]);
    }
}
