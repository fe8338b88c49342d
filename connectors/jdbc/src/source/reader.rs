//! One table or query: what of it is read next, and where its rows go.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
    Position, known_partitions, lookback_text, plain_partition, put_lookback_text, query_partition,
};
use crate::database::{Connection, ResultColumn, TableId};
use crate::types::RecordMapping;

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
            stored_offset(&table, context)?
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

    /// Begins to read what is new, if there can be anything.
    pub(super) fn begin(&mut self, access: &mut Access<'_>) -> Result<()> {
        let columns = match &self.columns {
            Some(columns) => columns.clone(),
            None => self.columns.insert(self.find_columns(access)?).clone(),
        };
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
                let key = mapping.key_of(&values);
                let mut batch = self.batch(key, values);
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

    /// Whether rows are known to be there that must wait.
    pub(super) fn has_waiting(&self) -> bool {
        self.new_rows.has_waiting
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

    fn batch(&self, key: Option<Column>, value: Column) -> SourceBatch {
        let len = value.len();
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

/// Where a table is read on, and under which source partition its offsets are stored.
fn stored_offset(table: &TableId, context: &SourceContext) -> Result<(SourcePartition, SourceOffset)> {
    let known = known_partitions(table);
    let stored = context.offsets(&known)?;
    let found = stored
        .into_iter()
        .enumerate()
        .find_map(|(place, offset)| Some((place, offset.filter(|offset| !offset.is_empty())?)));
    let [first, without_catalog, _] = known;
    Ok(match found {
        None => (first, SourceOffset::new()),
        Some((1, offset)) => (without_catalog, offset),
        Some((_, offset)) => (first, offset),
    })
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
            let (partition, offset) = stored_offset(&table(), &context).unwrap();
            (serde_json::Value::from(partition).to_string(), Position::parse(&offset).unwrap().incrementing)
        };
        let (qualified, short) =
            (r#"{"protocol":"1","table":"shop.public.orders"}"#, r#"{"protocol":"1","table":"public.orders"}"#);
        assert_eq!(find(qualified), (qualified.to_owned(), Some(7)));
        assert_eq!(find(short), (short.to_owned(), Some(7)));
        assert_eq!(find(r#"{"table":"orders"}"#), (qualified.to_owned(), Some(7)));
        assert_eq!(find(r#"{"table":"other"}"#), (qualified.to_owned(), None));
    }
}
