//! Offsets in the database, in the transaction of the rows: `volley.exactly.once=true`.
//!
//! The table has the offset before which all records of a partition are written, and those before it that were rejected
//! and whose dead letters may not be there yet. Whoever moves an offset says where it stood: of two tasks that both think
//! that a partition is theirs, the second one is turned away, with everything that it has written.

use std::collections::{BTreeSet, HashMap};

use arrow::datatypes::{DataType, Field};
use volley_api::{Error, ErrorKind, Offsets, Result, TopicPartition};

use crate::database::{TableId, Writer};

/// The table.
const TABLE: &str = "volley_offsets";

/// What is stored of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stored {
    /// Everything before it is done; `None`: there is no row.
    next: Option<i64>,
    /// Offsets before it that were rejected.
    rejected: BTreeSet<i64>,
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

    /// Moves the offset of a partition, first of all in a transaction: others that write the partition wait from here on.
    ///
    /// # Errors
    /// `Retriable` if another task has moved it.
    pub(super) fn advance(&mut self, writer: &mut dyn Writer, partition: &TopicPartition, end: i64) -> Result<()> {
        let mut stored = self.known.get(partition).cloned().unwrap_or_default();
        let condition = self.condition(writer, partition);
        let settled = self.settled.get(partition).copied().unwrap_or(i64::MIN);
        stored.rejected.retain(|offset| *offset >= settled);
        let rejected = writer.literal(&shown(&stored.rejected));
        let moved = match stored.next {
            // the same again, of which only rejected records are left
            Some(next) if next >= end => Ok(1),
            Some(next) => writer.execute(&format!(
                "UPDATE {TABLE} SET next_offset = {end}, rejected = {rejected} WHERE {condition} AND next_offset = {next}"
            )),
            None => {
                let (connector, topic) = (writer.literal(&self.connector), writer.literal(&partition.topic));
                let number = partition.partition;
                writer.execute(&format!(
                    "INSERT INTO {TABLE} (connector, topic, kafka_partition, next_offset, rejected) \
                     VALUES ({connector}, {topic}, {number}, {end}, {rejected})"
                ))
            }
        };
        match moved {
            Ok(1) => {}
            Ok(_) => return Err(rival(partition)),
            Err(error) if error.kind() == ErrorKind::Data => return Err(rival(partition).with_source(error)),
            Err(error) => return Err(error),
        }
        stored.next = Some(stored.next.unwrap_or(end).max(end));
        self.pending = Some((partition.clone(), stored));
        Ok(())
    }

    /// Notes records of the open transaction that are rejected.
    pub(super) fn reject(&mut self, writer: &mut dyn Writer, offsets: impl Iterator<Item = i64>) -> Result<()> {
        let Some((partition, mut stored)) = self.pending.take() else { return Ok(()) };
        let before = stored.rejected.len();
        stored.rejected.extend(offsets);
        if stored.rejected.len() > before {
            let (condition, rejected) = (self.condition(writer, &partition), writer.literal(&shown(&stored.rejected)));
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
    let rejected = rejected.as_deref().unwrap_or_default().split(',').filter(|offset| !offset.is_empty());
    Ok(Stored {
        next: Some(next.parse().map_err(|_| strange())?),
        rejected: rejected.map(|offset| offset.parse().map_err(|_| strange())).collect::<Result<_>>()?,
    })
}

fn strange() -> Error {
    Error::fatal(format!("table {TABLE} has a row that is none of ours"))
}

fn shown(offsets: &BTreeSet<i64>) -> String {
    offsets.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_as_it_was_written() {
        let rejected = BTreeSet::from([3, 7]);
        let row = [Some("12".to_owned()), Some(shown(&rejected))];
        assert_eq!(parsed(&row).unwrap(), Stored { next: Some(12), rejected });
        assert_eq!(parsed(&[Some("0".to_owned()), None]).unwrap(), Stored { next: Some(0), rejected: BTreeSet::new() });
        assert!(parsed(&[None, None]).is_err() && parsed(&[Some("x".to_owned()), None]).is_err());
    }

    #[test]
    fn a_record_is_done_before_the_offset_unless_it_was_rejected() {
        let (mut offsets, partition) = (StoredOffsets::new("c"), TopicPartition::new("t", 0));
        assert!(!offsets.is_done(&partition, 0));
        let stored = Stored { next: Some(5), rejected: BTreeSet::from([3]) };
        offsets.known.insert(partition.clone(), stored);
        let done: Vec<_> = (0..7).filter(|offset| offsets.is_done(&partition, *offset)).collect();
        assert_eq!(done, [0, 1, 2, 4]);
    }
}
