//! Offsets in the database, in the transaction of the rows: `volley.exactly.once=true`.
//!
//! The table has the offset before which all records of a partition are written, and those before it that were rejected
//! and whose dead letters may not be there yet. Whoever changes a row says what was in it: of two tasks that both think that
//! a partition is theirs, the second one is turned away, with everything that it has written. That is so where only rejected
//! records are written again, too: these leave the row first of all, and come back if they are rejected once more.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;

use arrow::datatypes::{DataType, Field};
use volley_api::{Error, ErrorKind, Offsets, Result, TopicPartition};

use crate::database::{TableId, Writer};

/// The table.
const TABLE: &str = "volley_offsets";
/// Most offsets of a range in it.
const MOST: i64 = 100_000_000;

/// What is stored of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stored {
    /// Everything before it is done; `None`: there is no row.
    next: Option<i64>,
    /// Offsets before it that were rejected.
    rejected: BTreeSet<i64>,
    /// How these stand in the table.
    text: String,
}

impl Stored {
    fn with_rejected(next: Option<i64>, rejected: BTreeSet<i64>) -> Self {
        let text = shown(&rejected);
        Self { next, rejected, text }
    }
}

/// The offsets of a connector.
#[derive(Debug)]
pub(super) struct StoredOffsets {
    connector: String,
    known: HashMap<TopicPartition, Stored>,
    /// Before these, Kafka has the dead letters of all that was rejected.
    settled: Offsets,
    /// What the open transaction makes of a partition.
    pending: Option<(TopicPartition, Stored)>,
}

impl StoredOffsets {
    /// Nothing is known yet.
    pub(super) fn new(connector: &str) -> Self {
        Self { connector: connector.to_owned(), known: HashMap::new(), settled: Offsets::new(), pending: None }
    }

    /// Asks for everything anew.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.pending = None;
    }

    /// Dead letters of everything before these offsets are in Kafka.
    pub(super) fn settle(&mut self, offsets: &Offsets) {
        self.settled.extend(offsets.iter().map(|(partition, offset)| (partition.clone(), *offset)));
    }

    /// Reads what is stored of a partition, unless it is known. MUST be called outside of a transaction.
    pub(super) fn load(&mut self, writer: &mut dyn Writer, partition: &TopicPartition) -> Result<()> {
        if self.known.contains_key(partition) {
            return Ok(());
        }
        create_table(writer)?;
        let rows = writer
            .texts(&format!("SELECT next_offset, rejected FROM {TABLE} WHERE {}", self.condition(writer, partition)))?;
        let stored = match rows.into_iter().next() {
            None => Stored::default(),
            Some(row) => parsed(&row)?,
        };
        self.known.insert(partition.clone(), stored);
        Ok(())
    }

    /// Whether a record was written by an earlier transaction. The partition MUST be known.
    pub(super) fn is_done(&self, partition: &TopicPartition, offset: i64) -> bool {
        self.known
            .get(partition)
            .is_some_and(|stored| stored.next.is_some_and(|next| offset < next) && !stored.rejected.contains(&offset))
    }

    /// Moves the offset of a partition behind a batch, first of all in a transaction: others that write the partition wait from
    /// here on. `offsets` are those of the batch; those of them that were rejected before are not any more.
    ///
    /// # Errors
    /// `Retriable` if another task has written the partition.
    pub(super) fn advance(
        &mut self,
        writer: &mut dyn Writer,
        partition: &TopicPartition,
        offsets: &[i64],
        end: i64,
    ) -> Result<()> {
        let known = self.known.get(partition).cloned().unwrap_or_default();
        let settled = self.settled.get(partition).copied().unwrap_or(i64::MIN);
        let mut rejected = known.rejected;
        let batch: BTreeSet<i64> = offsets.iter().copied().collect();
        rejected.retain(|offset| *offset >= settled && !batch.contains(offset));
        let stored = Stored::with_rejected(Some(known.next.map_or(end, |next| next.max(end))), rejected);
        let (next, text) = (stored.next.unwrap_or(end), writer.literal(&stored.text));
        let moved = match known.next {
            Some(before) => {
                let (condition, known) = (self.condition(writer, partition), writer.literal(&known.text));
                // something changes always: the offset, or that a record of the batch is rejected
                writer.execute(&format!(
                    "UPDATE {TABLE} SET next_offset = {next}, rejected = {text} WHERE {condition} AND \
                     next_offset = {before} AND COALESCE(rejected, '') = {known}"
                ))
            }
            None => {
                let (connector, topic) = (writer.literal(&self.connector), writer.literal(&partition.topic));
                let number = partition.partition;
                writer.execute(&format!(
                    "INSERT INTO {TABLE} (connector, topic, kafka_partition, next_offset, rejected) \
                     VALUES ({connector}, {topic}, {number}, {next}, {text})"
                ))
            }
        };
        match moved {
            Ok(1) => {}
            Ok(_) => return Err(rival(partition)),
            Err(error) if error.kind() == ErrorKind::Data => return Err(rival(partition).with_source(error)),
            Err(error) => return Err(error),
        }
        self.pending = Some((partition.clone(), stored));
        Ok(())
    }

    /// Notes records of the open transaction that are rejected.
    pub(super) fn reject(&mut self, writer: &mut dyn Writer, offsets: impl Iterator<Item = i64>) -> Result<()> {
        let Some((partition, Stored { next, mut rejected, text })) = self.pending.take() else { return Ok(()) };
        rejected.extend(offsets);
        let stored = Stored::with_rejected(next, rejected);
        if stored.text != text {
            let (condition, rejected) = (self.condition(writer, &partition), writer.literal(&stored.text));
            writer.execute(&format!("UPDATE {TABLE} SET rejected = {rejected} WHERE {condition}"))?;
        }
        self.pending = Some((partition, stored));
        Ok(())
    }

    /// The open transaction is committed.
    pub(super) fn committed(&mut self) {
        if let Some((partition, stored)) = self.pending.take() {
            self.known.insert(partition, stored);
        }
    }

    fn condition(&self, writer: &dyn Writer, partition: &TopicPartition) -> String {
        format!(
            "connector = {} AND topic = {} AND kafka_partition = {}",
            writer.literal(&self.connector),
            writer.literal(&partition.topic),
            partition.partition
        )
    }
}

fn rival(partition: &TopicPartition) -> Error {
    Error::retriable(format!(
        "another task has written partition {partition} (table {TABLE}): nothing is written twice"
    ))
}

fn create_table(writer: &mut dyn Writer) -> Result<()> {
    let table = TableId::new(None, None, TABLE);
    if writer.target(&table, None)?.is_some() {
        return Ok(());
    }
    let of = |data_type: DataType, is_key: bool| writer.column_type(&Field::new("a", data_type, !is_key), is_key);
    let (name, text) = (of(DataType::Utf8, true), of(DataType::Utf8, false));
    let (small, large) = (of(DataType::Int32, true), of(DataType::Int64, false));
    let created = writer.execute(&format!(
        "CREATE TABLE {TABLE} (connector {name} NOT NULL, topic {name} NOT NULL, kafka_partition {small} NOT NULL, \
         next_offset {large} NOT NULL, rejected {text}, PRIMARY KEY (connector, topic, kafka_partition))"
    ));
    match created {
        // another task may have been faster
        Err(_) if writer.target(&table, None)?.is_some() => Ok(()),
        Err(error) => {
            Err(Error::new(error.kind(), format!("could not create table {TABLE}: {error}")).with_source(error))
        }
        Ok(_) => Ok(()),
    }
}

fn parsed(row: &[Option<String>]) -> Result<Stored> {
    let [Some(next), rejected] = row else { return Err(strange()) };
    let text = rejected.clone().unwrap_or_default();
    let mut offsets = BTreeSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        offsets.extend(range(part).ok_or_else(strange)?);
    }
    Ok(Stored { next: Some(next.parse().map_err(|_| strange())?), rejected: offsets, text })
}

/// An offset, or the first and the last of some that follow each other.
fn range(text: &str) -> Option<RangeInclusive<i64>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    // a topic has no more records in a row that were rejected and not yet reported
    (0..=last).contains(&first).then_some(first..=last).filter(|range| range.end() - range.start() < MOST)
}

fn strange() -> Error {
    Error::fatal(format!("table {TABLE} has a row that is none of ours"))
}

/// As short as may be: a column of MySQL has room for 64 KiB.
fn shown(offsets: &BTreeSet<i64>) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for offset in offsets {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *offset => *last = *offset,
            _ => ranges.push((*offset, *offset)),
        }
    }
    let text = |(first, last)| if first == last { format!("{first}") } else { format!("{first}-{last}") };
    ranges.into_iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_as_it_was_written() {
        for (rejected, text) in [(vec![], ""), (vec![3, 7], "3,7"), (vec![0, 1, 2, 5, 8, 9], "0-2,5,8-9")] {
            let stored = Stored::with_rejected(Some(12), rejected.into_iter().collect());
            assert_eq!(stored.text, text);
            assert_eq!(parsed(&[Some("12".to_owned()), Some(stored.text.clone())]).unwrap(), stored);
        }
        assert_eq!(parsed(&[Some("0".to_owned()), None]).unwrap(), Stored::with_rejected(Some(0), BTreeSet::new()));
        for (next, rejected) in [(None, ""), (Some("x"), ""), (Some("1"), "7-3"), (Some("1"), "0-9000000000000000000")]
        {
            assert!(parsed(&[next.map(str::to_owned), Some(rejected.to_owned())]).is_err(), "{next:?} {rejected}");
        }
    }

    #[test]
    fn a_record_is_done_before_the_offset_unless_it_was_rejected() {
        let (mut offsets, partition) = (StoredOffsets::new("c"), TopicPartition::new("t", 0));
        assert!(!offsets.is_done(&partition, 0));
        let stored = Stored::with_rejected(Some(5), BTreeSet::from([3]));
        offsets.known.insert(partition.clone(), stored);
        let done: Vec<_> = (0..7).filter(|offset| offsets.is_done(&partition, *offset)).collect();
        assert_eq!(done, [0, 1, 2, 4]);
    }
}
