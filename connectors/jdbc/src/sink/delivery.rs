//! Writes the records of a batch, in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use volley_api::{Error, ErrorKind, Result, TopicPartition};

use super::column_values::without_arrays;
use super::halving::write_good_rows;
use super::record_plan::Planned;
use super::row_changes::{RowChange, not_yet_done, row_changes};
use super::stored_offsets::StoredOffsets;
use super::table_shapes::{TableShapes, find_column};
use crate::database::{TableId, TableWrite, TargetTable, WriteColumn, WriteKind, Writer};

/// Records for one table.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) table: TableId,
    pub(super) planned: Planned,
    /// Of each record, its row among those that were consumed.
    pub(super) inputs: Vec<usize>,
    /// Whether the table is emptied, and nothing else is done.
    pub(super) truncates: bool,
}

impl Job {
    /// Whether no row is written.
    fn only_removes(&self) -> bool {
        self.truncates || self.planned.removes.iter().all(|removes| *removes)
    }
}

/// Where a batch stands in Kafka, for who stores offsets in the database.
#[derive(Debug)]
pub(super) struct BatchPlace<'a> {
    pub(super) offsets: &'a mut StoredOffsets,
    pub(super) partition: &'a TopicPartition,
    /// The offset of each row that was consumed.
    pub(super) row_offsets: &'a [i64],
    /// Behind the last of them.
    pub(super) end: i64,
    /// Rows that are rejected already.
    pub(super) rejected: Vec<usize>,
}

/// What decides about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeliverySettings {
    pub(super) mode: WriteKind,
    pub(super) zone: Tz,
    /// Whether the others are written where some records cannot be. Else the first one takes everything back.
    pub(super) tolerates_bad_records: bool,
}

/// Writes all jobs in one transaction: consumed rows that could not be written, with why.
///
/// # Errors
/// Any that is no fault of a record; then nothing is written, and the connection is of no use any more.
pub(super) fn deliver(
    writer: &mut dyn Writer,
    shapes: &mut TableShapes,
    jobs: &[Job],
    settings: &DeliverySettings,
    mut place: Option<BatchPlace<'_>>,
) -> Result<BTreeMap<usize, Error>> {
    let mut work = targets(writer, shapes, jobs)?;
    let mut delivery = Delivery { writer, settings, is_careful: false, checks_at_once: false, is_at_its_end: false };
    loop {
        match delivery.transaction(&work, place.as_mut()) {
            // what is checked at the end is checked with each write now, where the database can do that
            Err(error) if error.kind() == ErrorKind::Data && delivery.is_at_its_end && !delivery.checks_at_once => {
                delivery.writer.execute("ROLLBACK")?;
                (delivery.is_careful, delivery.checks_at_once) = (true, true);
            }
            Err(error) if error.kind() == ErrorKind::Data && !delivery.is_careful => {
                delivery.writer.execute("ROLLBACK")?;
                let before = work;
                shapes.forget();
                work = targets(delivery.writer, shapes, jobs)?;
                // with savepoints now, to find out which records it is; unless it was the table that has changed
                delivery.is_careful = before.iter().zip(&work).all(|((_, before), (_, now))| before == now);
            }
            outcome => return outcome,
        }
    }
}

/// Each job with the table that it is for, as that is now.
fn targets<'a>(
    writer: &mut dyn Writer,
    shapes: &mut TableShapes,
    jobs: &'a [Job],
) -> Result<Vec<(&'a Job, Option<TargetTable>)>> {
    let target = |job: &'a Job| {
        let columns: Vec<_> = job.planned.columns.iter().map(|column| (&column.field, column.is_key)).collect();
        let table = match job.only_removes() {
            false => Some(shapes.table(writer, &job.table, &columns)?.clone()),
            // where there is no table there is nothing to remove
            true => shapes.table_to_remove_from(writer, &job.table)?,
        };
        Ok((job, table))
    };
    jobs.iter().map(target).collect()
}

struct Delivery<'a> {
    writer: &'a mut dyn Writer,
    settings: &'a DeliverySettings,
    /// Whether there is a savepoint before each write.
    is_careful: bool,
    /// Whether deferred constraints are checked with each write.
    checks_at_once: bool,
    /// Whether the transaction has nothing more to do than to be committed.
    is_at_its_end: bool,
}

impl Delivery<'_> {
    fn transaction(
        &mut self,
        work: &[(&Job, Option<TargetTable>)],
        mut place: Option<&mut BatchPlace<'_>>,
    ) -> Result<BTreeMap<usize, Error>> {
        self.is_at_its_end = false;
        self.writer.begin()?;
        if self.checks_at_once {
            self.writer.check_at_once()?;
        }
        if let Some(place) = &mut place {
            place.offsets.advance(self.writer, place.partition, place.row_offsets, place.end)?;
        }
        let mut found = Vec::with_capacity(work.len());
        for (job, table) in work {
            found.push(match table {
                Some(table) => self.write_job(job, table, &BTreeSet::new())?,
                None => job.planned.rejected.clone(),
            });
            if self.ends_early() && found.last().is_some_and(|bad| !bad.is_empty()) {
                break;
            }
        }
        if self.checks_at_once {
            self.write_what_has_become_good(work, &mut found)?;
        }
        let mut rejected = BTreeMap::new();
        for ((job, _), bad) in work.iter().zip(found) {
            for (record, error) in bad {
                rejected.entry(job.inputs[record]).or_insert(error);
            }
        }
        if !rejected.is_empty() && !self.settings.tolerates_bad_records {
            self.writer.execute("ROLLBACK")?;
            return Ok(rejected);
        }
        if let Some(place) = &mut place {
            let rows = rejected.keys().chain(&place.rejected);
            place.offsets.reject(self.writer, rows.map(|row| place.row_offsets[*row]))?;
        }
        self.is_at_its_end = true;
        self.writer.execute("COMMIT")?;
        if let Some(place) = place {
            place.offsets.committed();
        }
        Ok(rejected)
    }

    /// Whether the first bad record decides. Not where a record may be good once later ones are there.
    fn ends_early(&self) -> bool {
        !self.settings.tolerates_bad_records && !self.checks_at_once
    }

    /// Of records that a deferred constraint is against, those may be written that refer to some behind them: they are tried
    /// again as long as that makes fewer of them.
    fn write_what_has_become_good(
        &mut self,
        work: &[(&Job, Option<TargetTable>)],
        found: &mut [BTreeMap<usize, Error>],
    ) -> Result<()> {
        loop {
            let known: usize = found.iter().map(BTreeMap::len).sum();
            for ((job, table), bad) in work.iter().zip(found.iter_mut()) {
                let (Some(table), false) = (table, job.planned.rejected.len() == bad.len()) else { continue };
                let records = 0..job.planned.removes.len();
                let others = records.filter(|record| !bad.contains_key(record)).collect();
                *bad = self.write_job(job, table, &others)?;
            }
            if found.iter().map(BTreeMap::len).sum::<usize>() == known {
                return Ok(());
            }
        }
    }

    /// Writes the records of a job but `others`; those that cannot be written, with why.
    fn write_job(
        &mut self,
        job: &Job,
        table: &TargetTable,
        others: &BTreeSet<usize>,
    ) -> Result<BTreeMap<usize, Error>> {
        let mut bad: BTreeMap<usize, Error> =
            job.planned.rejected.iter().map(|(record, error)| (*record, error.clone())).collect();
        if job.truncates {
            self.writer.execute(&format!("DELETE FROM {}", table.table.in_sql(Some(self.writer.quote()))))?;
            return Ok(bad);
        }
        let mut done = BTreeSet::new();
        loop {
            let is_left_out = |record| bad.contains_key(&record) || others.contains(&record);
            let changes = row_changes(&job.planned, self.settings.mode, &is_left_out)?;
            let changes = not_yet_done(changes, &done);
            let known = bad.len();
            for change in &changes {
                for (row, error) in self.write_change(&job.planned, change, table)? {
                    bad.insert(change.records[row], error);
                }
            }
            // of a key whose last record is bad, the one before counts
            if bad.len() == known || self.ends_early() {
                return Ok(bad);
            }
            done.extend(changes.into_iter().flat_map(|change| change.records));
        }
    }

    fn write_change(
        &mut self,
        planned: &Planned,
        change: &RowChange,
        table: &TargetTable,
    ) -> Result<Vec<(usize, Error)>> {
        let (columns, rows) = fitted(change.columns(planned)?, table)?;
        let (settings, is_careful, ends_early) = (*self.settings, self.is_careful, self.ends_early());
        let mut write = |range: std::ops::Range<usize>| {
            let rows = rows.slice(range.start, range.len());
            let write = TableWrite {
                table: &table.table,
                columns: &columns,
                kind: change.kind,
                rows: &rows,
                zone: settings.zone,
            };
            let written = self.write_rows(&write);
            written.map_err(|error| {
                let (kind, table) = (change.kind, &table.table);
                Error::new(error.kind(), format!("could not {kind} table {table}: {error}")).with_source(error)
            })
        };
        if !is_careful {
            return write_all(rows.num_rows(), &mut write);
        }
        write_good_rows(0..rows.num_rows(), ends_early, &mut write)
    }

    fn write_rows(&mut self, write: &TableWrite<'_>) -> Result<()> {
        if !self.is_careful {
            return self.writer.write(write);
        }
        self.writer.execute("SAVEPOINT volley")?;
        match self.writer.write(write) {
            Ok(()) => self.writer.execute("RELEASE SAVEPOINT volley").map(drop),
            Err(error) if error.kind() == ErrorKind::Data => {
                self.writer.execute("ROLLBACK TO SAVEPOINT volley")?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

fn write_all(rows: usize, write: &mut dyn FnMut(std::ops::Range<usize>) -> Result<()>) -> Result<Vec<(usize, Error)>> {
    write(0..rows)?;
    Ok(Vec::new())
}

/// The columns as the table has them.
fn fitted(columns: Vec<(Field, ArrayRef, bool)>, table: &TargetTable) -> Result<(Vec<WriteColumn>, RecordBatch)> {
    let (mut targets, mut fields, mut arrays) = (Vec::new(), Vec::new(), Vec::new());
    for (field, array, is_key) in columns {
        let Some(target) = find_column(&table.columns, field.name()) else {
            // one that is always null needs no column
            if field.data_type() == &DataType::Null {
                continue;
            }
            return Err(Error::config(format!("table {} has no column {}", table.table, field.name())));
        };
        let (field, array) = if target.is_array { (field, array) } else { without_arrays(&field, &array)? };
        targets.push(WriteColumn { target: target.clone(), is_key });
        fields.push(field.with_nullable(array.is_nullable()));
        arrays.push(array);
    }
    Ok((targets, RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?))
}
