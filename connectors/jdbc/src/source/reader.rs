//! One table or query: what of it is read next, and where its rows go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use volley_api::{Column, Error, Records, Result, RowIndex, SourceBatch, SourceContext, SourceOffset, SourcePartition};

use super::access::Access;
use super::config::Reading;
use super::config::SourceConfig;
use super::config::SourceQuery;
use super::config::config_keys::KEY_COLUMNS;
use super::mode_columns::ModeColumns;
use super::new_rows::NewRows;
use super::open_result::{OpenResult, Step};
use super::progress::ProgressColumns;
use super::statement::Subject;
use super::stored_offset::{
    Position, lookback_text, plain_partition, put_lookback_text, query_partition, stored_offset,
};
use crate::database::{Connection, ResultColumn, TableId};
use crate::types::RecordMapping;

/// When rows are looked at again that wait for the transactions of others.
const SOON: Duration = Duration::from_millis(500);
/// The producer sets the time.
const NO_TIMESTAMP: i64 = -1;

/// A table or query.
#[derive(Debug)]
pub(super) struct Reader {
    subject: Subject,
    reading: Arc<Reading>,
    topic: Arc<str>,
    partition: SourcePartition,
    /// Behind the rows that were given out.
    position: Position,
    /// When it is read again.
    pub(super) due: Instant,
    /// Whether it is not read again.
    pub(super) is_done: bool,
    columns: Option<ModeColumns>,
    new_rows: NewRows,
    mapping: Option<RecordMapping>,
    open: Option<OpenResult>,
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
    /// The reader of a query.
    pub(super) fn of_query(config: &SourceConfig, query: &SourceQuery, context: &SourceContext) -> Result<Self> {
        let partition = query_partition(query.name.as_deref());
        let stored = if query.reading.mode.is_bulk() { None } else { context.offset(&partition)? };
        let subject = Subject::Query { name: query.name.clone(), text: query.text.clone() };
        let topic = query.topic.as_str().into();
        Self::new(config, subject, Arc::clone(&query.reading), topic, (partition, stored.unwrap_or_default()))
    }

    /// The reader of a table.
    pub(super) fn of_table(config: &SourceConfig, table: TableId, context: &SourceContext) -> Result<Self> {
        let stored = if config.reading.mode.is_bulk() {
            (plain_partition(&table), SourceOffset::new())
        } else {
            stored_offset(&table, |known| context.offsets(known))?
        };
        let topic = format!("{}{}", config.topic_prefix, table.table).into();
        Self::new(config, Subject::Table(table), Arc::clone(&config.reading), topic, stored)
    }

    fn new(
        config: &SourceConfig,
        subject: Subject,
        reading: Arc<Reading>,
        topic: Arc<str>,
        (partition, stored): (SourcePartition, SourceOffset),
    ) -> Result<Self> {
        let position = Position::parse(&stored)?;
        let new_rows = NewRows::new(config, reading.mode, lookback_text(&stored).to_owned())?;
        Ok(Self {
            subject,
            reading,
            topic,
            partition,
            position,
            due: Instant::now(),
            is_done: false,
            columns: None,
            new_rows,
            mapping: None,
            open: None,
        })
    }

    /// Whether a result of it is being read.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Gives up the result. What was not given out is read again.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.new_rows.give_up();
    }

    /// Says when it is read again, after the end of a pass.
    pub(super) fn end(&mut self, config: &SourceConfig) {
        let has_waiting = self.new_rows.has_waiting;
        // what waits for others can soon be read
        let interval = if has_waiting { config.poll_interval.min(SOON) } else { config.poll_interval };
        self.due = Instant::now() + interval;
        self.is_done = config.is_bounded && !has_waiting;
    }

    /// The columns of the mode, looked for once.
    pub(super) fn mode_columns(&mut self, access: &mut Access<'_>) -> Result<ModeColumns> {
        Ok(match &self.columns {
            Some(columns) => columns.clone(),
            None => self.columns.insert(self.find_columns(access)?).clone(),
        })
    }

    /// Makes the mapping of a result, whose rows are none of its own passes.
    pub(super) fn map(&mut self, found: Vec<ResultColumn>, columns: &ModeColumns, config: &SourceConfig) -> Result<()> {
        if !self.mapping.as_ref().is_some_and(|mapping| mapping.is_of(&found)) {
            self.mapping = Some(self.new_mapping(found, &columns.keys, config)?);
        }
        Ok(())
    }

    /// Rows as values of records, once there is a mapping.
    pub(super) fn values(&mut self, rows: &RecordBatch) -> Result<Column> {
        let Some(mapping) = &mut self.mapping else { return Err(Error::fatal("a result without columns")) };
        mapping.values(rows).map_err(|error| self.subject.failed(error))
    }

    /// Goes on behind a position, up to which others have read.
    pub(super) fn go_on_behind(&mut self, position: Position, config_is_bounded: bool) {
        self.position = position;
        self.is_done = config_is_bounded;
        self.due = Instant::now();
    }

    /// Begins to read what is new, if there can be anything.
    pub(super) fn begin(&mut self, access: &mut Access<'_>) -> Result<()> {
        let columns = self.mode_columns(access)?;
        let criteria = self.new_rows.criteria(&self.subject, &columns, &mut self.position, access);
        let Some(criteria) = criteria.map_err(|error| self.subject.failed(error))? else { return Ok(()) };
        let query = access.query(access.writing().statement(&self.subject, &criteria));
        let found = access.connection.query(&query).map_err(|error| self.subject.failed(error))?;
        if !self.mapping.as_ref().is_some_and(|mapping| mapping.is_of(&found)) {
            if self.mapping.take().is_some() {
                // another table than before, perhaps with other columns that count up, and another primary key
                self.columns = None;
                return self.begin(access);
            }
            self.mapping = Some(self.new_mapping(found, &columns.keys, access.config)?);
        }
        let Some(mapping) = &self.mapping else { return Err(Error::fatal("a result without columns")) };
        let place_of = |name: &str| mapping.place_of(name).map_err(|error| self.subject.failed(error));
        let progress = ProgressColumns {
            incrementing: columns.incrementing.as_deref().map(place_of).transpose()?,
            timestamps: columns.timestamps.iter().map(|name| place_of(name)).collect::<Result<_>>()?,
            zone: access.config.types.zone,
        };
        self.open = Some(OpenResult::new(progress, self.position));
        Ok(())
    }

    /// The next rows of the result.
    pub(super) fn read(&mut self, connection: &mut dyn Connection, within: Duration) -> Result<Read> {
        let (Some(open), Some(mapping)) = (&mut self.open, &mut self.mapping) else { return Ok(Read::End) };
        let step = open.step(connection, mapping, self.new_rows.lookback.as_mut(), within);
        match step.map_err(|error| self.subject.failed(error))? {
            Step::Waiting => Ok(Read::Waiting),
            Step::Rows(values, position, seen) => {
                self.position = position;
                let mut batch = self.batch(values);
                if let Some(seen) = seen {
                    put_lookback_text(&mut batch.offset, &seen);
                    self.new_rows.delivered(seen);
                }
                Ok(Read::Batch(Box::new(batch)))
            }
            Step::End(position) => {
                self.position = position;
                self.open = None;
                self.new_rows.end_pass(position);
                Ok(Read::End)
            }
        }
    }

    fn find_columns(&self, access: &mut Access<'_>) -> Result<ModeColumns> {
        let validates_non_null = access.config.validates_non_null;
        ModeColumns::find(&self.reading, self.subject.table(), validates_non_null, access.connection)
    }

    /// The mapping of a result of these columns.
    fn new_mapping(&self, found: Vec<ResultColumn>, keys: &[String], config: &SourceConfig) -> Result<RecordMapping> {
        let name = self.subject.schema_name();
        let mapping = RecordMapping::new(found, &config.types, name).map_err(|error| self.subject.failed(error))?;
        mapping.with_keys(keys).map_err(|error| {
            Error::config(format!("could not make keys of {} (`{KEY_COLUMNS}`): {error}", self.subject))
                .with_source(error)
        })
    }

    /// Values with their keys and the offset of the position.
    pub(super) fn batch(&mut self, value: Column) -> SourceBatch {
        let len = value.len();
        let key = self.mapping.as_mut().and_then(|mapping| mapping.key_of(&value));
        let records = Records {
            topic: Arc::clone(&self.topic),
            kafka_partition: None,
            key: key.unwrap_or_else(|| Column::nulls(len)),
            value,
            timestamps: vec![NO_TIMESTAMP; len].into(),
            headers: None,
            rows: RowIndex::all(len),
            origin: None,
        };
        SourceBatch { records, partition: self.partition.clone(), offset: self.position.to_offset() }
    }
}
