//! The task: each batch that is put is one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use volley_api::{
    Error, ErrorKind, Offsets, Records, RejectedRow, Result, SinkBatch, SinkContext, SinkTask, Stage, TopicPartition,
    in_row_order,
};

use super::change_events::{EventSettings, RowEvents, row_events};
use super::config::SinkConfig;
use super::connector::{Drivers, driver_of};
use super::delivery::{BatchPlace, DeliverySettings, Job, deliver};
use super::record_plan::{KeyMode, Planned};
use super::retries::Retries;
use super::stored_offsets::StoredOffsets;
use super::table_shapes::{ShapeSettings, TableShapes};
use crate::database::{Driver, WriteKind, Writer};

/// One task.
pub(super) struct JdbcSinkTask {
    context: SinkContext,
    class: &'static str,
    config: SinkConfig,
    driver: Arc<dyn Driver>,
    writer: Option<Box<dyn Writer>>,
    shapes: TableShapes,
    /// `Some` with `volley.exactly.once`.
    offsets: Option<StoredOffsets>,
    retries: Retries,
}

/// What a batch comes down to.
struct Work {
    jobs: Vec<Job>,
    rejected: BTreeMap<usize, Error>,
}

impl SinkTask for JdbcSinkTask {
    fn put(&mut self, batch: &SinkBatch) -> Result<Vec<RejectedRow>> {
        if batch.rows() == 0 {
            return Ok(Vec::new());
        }
        let knew_tables = !self.shapes.is_empty();
        let mut outcome = self.write(batch);
        if knew_tables && outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Config) {
            // the tables may have changed since they were looked at
            self.disconnect();
            outcome = self.write(batch);
        }
        match outcome {
            Ok(rejected) => {
                self.retries.succeeded();
                let class = self.class.to_owned();
                let reject = |(row, error)| RejectedRow { row, stage: Stage::TaskPut, class: class.clone(), error };
                Ok(rejected.into_iter().map(reject).collect())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Everything that was put is committed in the database.
    fn pre_commit(&mut self, current: &Offsets) -> Result<Offsets> {
        if let Some(offsets) = &mut self.offsets {
            // the worker has waited for all dead letters
            offsets.settle(current);
        }
        Ok(current.clone())
    }

    fn open(&mut self, _partitions: &Offsets) -> Result<()> {
        self.forget_offsets();
        Ok(())
    }

    fn close(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        self.forget_offsets();
        Ok(())
    }

    fn stop(&mut self) {
        self.writer = None;
    }
}

impl JdbcSinkTask {
    /// Starts the task. The database is not touched yet: what is out of reach is tried again by `put`.
    pub(super) fn start(
        context: SinkContext,
        class: &'static str,
        config: SinkConfig,
        drivers: &Drivers,
    ) -> Result<Self> {
        let driver = driver_of(drivers, &config)?;
        driver.check(&config.settings)?;
        let shapes = TableShapes::new(ShapeSettings {
            creates: config.creates,
            evolves: config.evolves,
            quote: config.has_quotes.then(|| driver.quote()),
            zone: config.zone,
        });
        let offsets = config.is_exactly_once.then(|| StoredOffsets::new(&context.connector));
        let retries = Retries::new(config.retries);
        Ok(Self { context, class, config, driver, writer: None, shapes, offsets, retries })
    }

    fn write(&mut self, batch: &SinkBatch) -> Result<BTreeMap<usize, Error>> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.connect()?,
        };
        if let Some(offsets) = &mut self.offsets {
            offsets.load(&mut *writer, batch.partition())?;
        }
        let Work { jobs, mut rejected } = self.work(batch)?;
        if !rejected.is_empty() && !self.config.tolerates_bad_records {
            self.writer = Some(writer);
            return Ok(rejected);
        }
        if !jobs.is_empty() || !rejected.is_empty() {
            let settings = DeliverySettings {
                mode: self.config.mode,
                zone: self.config.zone,
                tolerates_bad_records: self.config.tolerates_bad_records,
            };
            let place = self.offsets.as_mut().map(|offsets| BatchPlace {
                offsets,
                partition: batch.partition(),
                row_offsets: &batch.origin().offsets,
                end: batch.origin().range.end,
                rejected: rejected.keys().copied().collect(),
            });
            rejected.extend(deliver(&mut *writer, &mut self.shapes, &jobs, &settings, place)?);
        }
        // an error has dropped it, and with it whatever was begun
        self.writer = Some(writer);
        Ok(rejected)
    }

    fn connect(&mut self) -> Result<Box<dyn Writer>> {
        match self.driver.connect_writer(&self.config.settings) {
            Ok(writer) => {
                self.retries.connected();
                Ok(writer)
            }
            Err(error) if error.is_retriable() => {
                Err(Error::retriable(error.to_string()).with_exception(NO_CONNECTION).with_source(error))
            }
            Err(error) => Err(error),
        }
    }

    /// What is to be done with a batch.
    fn work(&self, batch: &SinkBatch) -> Result<Work> {
        let mut work = Work { jobs: Vec::new(), rejected: BTreeMap::new() };
        let only_adds = self.config.mode == WriteKind::Insert && !self.config.plan.deletes;
        if only_adds {
            for records in &batch.records {
                self.add_work(&mut work, records.clone())?;
            }
        } else {
            for (index, rows) in in_row_order(&batch.records) {
                self.add_work(&mut work, batch.records[index].slice(rows.start, rows.len()))?;
            }
        }
        Ok(work)
    }

    fn add_work(&self, work: &mut Work, records: Records) -> Result<()> {
        let Some(records) = self.without_done(records)? else { return Ok(()) };
        let plan = &self.config.plan;
        if !self.config.takes_changes {
            let removes = (0..records.len()).map(|row| plan.deletes && records.value.is_null(row)).collect();
            let events = RowEvents { records, removes, truncates: false, source: BTreeMap::new() };
            return self.add_rows(work, events);
        }
        let settings = EventSettings {
            deletes: plan.deletes,
            has_keys: matches!(plan.key_mode, KeyMode::RecordKey | KeyMode::RecordHeader),
            truncates: self.config.truncates,
            source_fields: &self.config.tables.source_fields(),
        };
        for events in row_events(&records, &settings)? {
            self.add_rows(work, events)?;
        }
        Ok(())
    }

    /// Rows of one table.
    fn add_rows(&self, work: &mut Work, events: RowEvents) -> Result<()> {
        let RowEvents { records, removes, truncates, source } = events;
        let inputs: Vec<usize> = records.rows.iter().collect();
        let source = |field: &str| source.get(field).cloned();
        let table = self.config.tables.table_of(&records.topic, self.driver.quote(), &source);
        let outcome = table.and_then(|table| {
            if truncates {
                return Ok((table, Planned::nothing()));
            }
            let planned = Planned::new(&records, removes, &self.config.plan).map_err(|error| {
                let place = format!("a record of topic {} has no place in table {table}: {error}", records.topic);
                Error::new(error.kind(), place)
            });
            planned.map(|planned| (table, planned))
        });
        match outcome {
            Ok((table, planned)) => work.jobs.push(Job { table, planned, inputs, truncates }),
            Err(error) if error.kind() == ErrorKind::Data => {
                work.rejected.extend(inputs.into_iter().map(|row| (row, error.clone())));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The records that no earlier transaction has written; `None` if all are written.
    fn without_done(&self, records: Records) -> Result<Option<Records>> {
        let (Some(offsets), Some(origin)) = (&self.offsets, &records.origin) else { return Ok(Some(records)) };
        let is_done = |row: usize| records.offset(row).is_some_and(|offset| offsets.is_done(&origin.partition, offset));
        let wanted: Vec<u32> = (0..records.len()).filter(|row| !is_done(*row)).map(|row| row as u32).collect();
        match wanted.len() {
            0 => Ok(None),
            len if len == records.len() => Ok(Some(records)),
            _ => records.take(&wanted.into()).map(Some),
        }
    }

    fn forget_offsets(&mut self) {
        if let Some(offsets) = &mut self.offsets {
            offsets.forget();
        }
    }

    fn disconnect(&mut self) {
        self.writer = None;
        self.shapes.forget();
        self.forget_offsets();
    }

    /// What becomes of a failure: everything is looked at anew, and the batch is put again if that may help.
    fn failed(&mut self, error: Error) -> Error {
        self.disconnect();
        if !error.is_retriable() {
            return error;
        }
        let is_unconnected = error.exception() == NO_CONNECTION;
        let wait =
            if is_unconnected { self.retries.connection_failed(&error) } else { self.retries.write_failed(&error) };
        match wait {
            Ok(wait) => {
                self.context.timeout(wait);
                error
            }
            Err(error) => error,
        }
    }
}

/// What Java calls a connection that cannot be made.
const NO_CONNECTION: &str = "java.sql.SQLNonTransientConnectionException";

impl std::fmt::Debug for JdbcSinkTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JdbcSinkTask").field("class", &self.class).field("config", &self.config).finish_non_exhaustive()
    }
}
