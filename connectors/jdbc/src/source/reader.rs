//! One table or query: what of it is read next, and where its rows go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::{Column, Error, Records, Result, RowIndex, SourceBatch, SourceContext, SourcePartition};

use super::config::{InitialTimestamp, SourceConfig};
use super::config_keys::{INCREMENTING, INCREMENTING_MAPPING, TIMESTAMP_MAPPING, VALIDATE_NON_NULL};
use super::open_result::{OpenResult, Step};
use super::progress::ProgressColumns;
use super::statement::{Criteria, Subject, Writing};
use super::stored_offset::{Position, known_partitions, plain_partition, query_partition};
use crate::database::{Connection, Driver, Query, TableColumn, TableId};
use crate::types::RecordMapping;

/// A batch ends with the row that reaches this many bytes.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// The producer sets the time.
const NO_TIMESTAMP: i64 = -1;

/// A table or query.
#[derive(Debug)]
pub(super) struct Reader {
    subject: Subject,
    topic: Arc<str>,
    partition: SourcePartition,
    /// Behind the rows that were given out.
    position: Position,
    /// When it is read again.
    pub(super) due: Instant,
    /// Whether it is not read again.
    pub(super) is_done: bool,
    columns: Option<ModeColumns>,
    mapping: Option<RecordMapping>,
    open: Option<OpenResult>,
}

/// The columns that say what is new.
#[derive(Clone, Debug)]
struct ModeColumns {
    incrementing: Option<String>,
    timestamps: Vec<String>,
}

/// What there is of a table or query.
#[derive(Debug)]
pub(super) enum Read {
    /// Rows.
    Batch(Box<SourceBatch>),
    /// Nothing yet.
    Waiting,
    /// Nothing more, until it is due again.
    End,
}

impl Reader {
    /// The reader of the query.
    pub(super) fn of_query(config: &SourceConfig, query: volley_api::Secret, context: &SourceContext) -> Result<Self> {
        let partition = query_partition();
        let stored = if config.mode.is_bulk() { None } else { context.offset(&partition)? };
        let position = stored.map(|offset| Position::parse(&offset)).transpose()?.unwrap_or_default();
        Ok(Self::new(Subject::Query(query), config.topic_prefix.as_str().into(), partition, position))
    }

    /// The reader of a table.
    pub(super) fn of_table(config: &SourceConfig, table: TableId, context: &SourceContext) -> Result<Self> {
        let (partition, position) = if config.mode.is_bulk() {
            (plain_partition(&table), Position::default())
        } else {
            stored_position(&table, context)?
        };
        let topic = format!("{}{}", config.topic_prefix, table.table);
        Ok(Self::new(Subject::Table(table), topic.into(), partition, position))
    }

    fn new(subject: Subject, topic: Arc<str>, partition: SourcePartition, position: Position) -> Self {
        Self {
            subject,
            topic,
            partition,
            position,
            due: Instant::now(),
            is_done: false,
            columns: None,
            mapping: None,
            open: None,
        }
    }

    /// Whether a result of it is being read.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Gives up the result. What was not given out is read again.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Begins to read what is new.
    pub(super) fn begin(
        &mut self,
        connection: &mut dyn Connection,
        driver: &dyn Driver,
        config: &SourceConfig,
    ) -> Result<()> {
        let columns = match &self.columns {
            Some(columns) => columns.clone(),
            None => self.columns.insert(self.mode_columns(connection, config)?).clone(),
        };
        let criteria = self.criteria(&columns, connection, config)?;
        let writing =
            Writing { driver, has_quotes: config.has_quotes, zone: config.types.zone, suffix: &config.suffix };
        let query = Query {
            text: writing.statement(&self.subject, &criteria),
            batch_rows: config.batch_rows,
            batch_bytes: BATCH_BYTES,
            isolation: config.isolation,
        };
        let found = connection.query(&query).map_err(|error| self.in_subject(error))?;
        if !self.mapping.as_ref().is_some_and(|mapping| mapping.is_of(&found)) {
            let name = match &self.subject {
                Subject::Table(table) => Some(table.table.as_str()),
                Subject::Query(_) => None,
            };
            self.mapping = Some(RecordMapping::new(found, &config.types, name)?);
        }
        let Some(mapping) = &self.mapping else { return Err(Error::fatal("a result without columns")) };
        let progress = ProgressColumns {
            incrementing: columns.incrementing.as_deref().map(|name| mapping.place_of(name)).transpose()?,
            timestamps: columns.timestamps.iter().map(|name| mapping.place_of(name)).collect::<Result<_>>()?,
            zone: config.types.zone,
        };
        self.open = Some(OpenResult::new(progress, self.position));
        Ok(())
    }

    /// The next rows of the result.
    pub(super) fn read(&mut self, connection: &mut dyn Connection, within: Duration) -> Result<Read> {
        let (Some(open), Some(mapping)) = (&mut self.open, &mut self.mapping) else { return Ok(Read::End) };
        match open.step(connection, mapping, within).map_err(|error| self.in_subject(error))? {
            Step::Waiting => Ok(Read::Waiting),
            Step::Rows(values, position) => {
                self.position = position;
                Ok(Read::Batch(Box::new(self.batch(values))))
            }
            Step::End(position) => {
                self.position = position;
                self.open = None;
                Ok(Read::End)
            }
        }
    }

    fn batch(&self, value: Column) -> SourceBatch {
        let len = value.len();
        let records = Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: None,
            key: Column::nulls(len),
            value,
            timestamps: vec![NO_TIMESTAMP; len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: None,
        };
        SourceBatch { records, partition: self.partition.clone(), offset: self.position.to_offset() }
    }

    /// Which rows are new.
    fn criteria(
        &mut self,
        columns: &ModeColumns,
        connection: &mut dyn Connection,
        config: &SourceConfig,
    ) -> Result<Criteria> {
        let number = self.position.incrementing.unwrap_or(config.incrementing_initial);
        if columns.timestamps.is_empty() {
            return Ok(match &columns.incrementing {
                None => Criteria::Everything,
                Some(column) => Criteria::Incrementing { column: column.clone(), after: number },
            });
        }
        let now = connection.current_time()?;
        let after = match (self.position.timestamp, config.timestamp_initial) {
            (Some(timestamp), _) | (None, InitialTimestamp::After(timestamp)) => timestamp,
            // from now on, also if nothing comes for long
            (None, InitialTimestamp::Now) => *self.position.timestamp.insert(now),
        };
        let (timestamps, before) = (columns.timestamps.clone(), now.minus_millis(config.delay_ms));
        Ok(match &columns.incrementing {
            None => Criteria::Timestamp { columns: timestamps, after, before },
            Some(column) => {
                Criteria::Both { columns: timestamps, after, before, column: column.clone(), after_number: number }
            }
        })
    }

    /// The columns of the mode, checked against the table.
    fn mode_columns(&self, connection: &mut dyn Connection, config: &SourceConfig) -> Result<ModeColumns> {
        let table = match &self.subject {
            Subject::Table(table) => Some(table),
            Subject::Query(_) => None,
        };
        let timestamps = match config.mode.is_timestamp {
            true => config.timestamps.columns(table, TIMESTAMP_MAPPING)?,
            false => Vec::new(),
        };
        let mut incrementing = match config.mode.is_incrementing {
            true => config.incrementing.columns(table, INCREMENTING_MAPPING)?.into_iter().next(),
            false => None,
        };
        if let Some(table) = table.filter(|_| !config.mode.is_bulk()) {
            let found = connection.columns(table)?;
            if config.mode.is_incrementing && incrementing.is_none() {
                incrementing = Some(counted_column(&found, table)?);
            }
            if config.validates_non_null {
                check_not_null(&found, incrementing.as_deref(), &timestamps, table)?;
            }
        }
        Ok(ModeColumns { incrementing, timestamps })
    }

    /// The error, with what was being read.
    fn in_subject(&self, error: Error) -> Error {
        let subject = match &self.subject {
            Subject::Table(table) => format!("table {table}"),
            Subject::Query(_) => "the query".to_owned(),
        };
        Error::new(error.kind(), format!("could not read {subject}: {error}")).with_source(error)
    }
}

/// Where a table is read on, and under which source partition its offsets are stored.
fn stored_position(table: &TableId, context: &SourceContext) -> Result<(SourcePartition, Position)> {
    let known = known_partitions(table);
    let stored = context.offsets(&known)?;
    let found = stored
        .into_iter()
        .enumerate()
        .find_map(|(place, offset)| Some((place, offset.filter(|offset| !offset.is_empty())?)));
    let [first, without_catalog, _] = known;
    match found {
        None => Ok((first, Position::default())),
        Some((1, offset)) => Ok((without_catalog, Position::parse(&offset)?)),
        Some((_, offset)) => Ok((first, Position::parse(&offset)?)),
    }
}

/// The column that the database counts up.
fn counted_column(columns: &[TableColumn], table: &TableId) -> Result<String> {
    let mut counted = columns.iter().filter(|column| column.is_autoincrement);
    match (counted.next(), counted.next()) {
        (Some(column), None) => Ok(column.name.clone()),
        (found, _) => {
            let how_many = if found.is_some() { "several columns" } else { "no column" };
            Err(Error::config(format!(
                "table {table} has {how_many} that the database counts up: name the one with the number of each row \
                by `{INCREMENTING}`"
            )))
        }
    }
}

fn check_not_null(
    columns: &[TableColumn],
    incrementing: Option<&str>,
    timestamps: &[String],
    table: &TableId,
) -> Result<()> {
    let is_nullable = |name: &str| columns.iter().any(|column| column.name == name && column.is_nullable);
    let advice =
        format!("rows where it is null would never be read; set `{VALIDATE_NON_NULL}` to false if that is meant");
    if let Some(name) = incrementing.filter(|name| is_nullable(name)) {
        return Err(Error::config(format!("column `{name}` of table {table} may be null: {advice}")));
    }
    if !timestamps.is_empty() && timestamps.iter().all(|name| is_nullable(name)) {
        let names = timestamps.join("`, `");
        return Err(Error::config(format!("column `{names}` of table {table} may be null: {advice}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use volley_api::testing::json_object;

    use super::*;

    fn table() -> TableId {
        TableId::new(Some("shop"), Some("public"), "orders")
    }

    #[test]
    fn offsets_are_found_under_every_partition_that_java_has_ever_used() {
        let find = |partition: &str| {
            let stored = json_object(partition);
            let reader =
                move |asked: &SourcePartition| Ok((*asked == stored).then(|| json_object(r#"{"incrementing":7}"#)));
            let context = SourceContext::new("c", 0).with_offsets(Arc::new(reader));
            let (partition, position) = stored_position(&table(), &context).unwrap();
            (serde_json::Value::from(partition).to_string(), position.incrementing)
        };
        let (qualified, short) =
            (r#"{"protocol":"1","table":"shop.public.orders"}"#, r#"{"protocol":"1","table":"public.orders"}"#);
        assert_eq!(find(qualified), (qualified.to_owned(), Some(7)));
        assert_eq!(find(short), (short.to_owned(), Some(7)));
        assert_eq!(find(r#"{"table":"orders"}"#), (qualified.to_owned(), Some(7)));
        assert_eq!(find(r#"{"table":"other"}"#), (qualified.to_owned(), None));
    }

    #[test]
    fn columns_that_may_be_null_are_refused_and_the_counted_one_is_found() {
        let column = |name: &str, is_nullable, is_autoincrement| TableColumn {
            name: name.to_owned(),
            is_nullable,
            is_autoincrement,
        };
        let columns = [column("id", false, true), column("a", true, false), column("b", false, false)];
        assert_eq!(counted_column(&columns, &table()).unwrap(), "id");
        assert!(counted_column(&columns[1..], &table()).unwrap_err().to_string().contains("no column"));
        let check = |number, times: &[&str]| {
            check_not_null(&columns, number, &times.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &table())
        };
        assert!(check(Some("id"), &[]).is_ok());
        assert!(check(Some("a"), &[]).is_err());
        assert!(check(None, &["a"]).is_err());
        assert!(check(None, &["a", "b"]).is_ok(), "one that is never null is enough");
    }
}
