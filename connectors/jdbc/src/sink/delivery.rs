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
    let mut delivery = Delivery { writer, settings, is_careful: false };
    loop {
        match delivery.transaction(&work, place.as_mut()) {
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
}

impl Delivery<'_> {
    fn transaction(
        &mut self,
        work: &[(&Job, Option<TargetTable>)],
        mut place: Option<&mut BatchPlace<'_>>,
    ) -> Result<BTreeMap<usize, Error>> {
        self.writer.begin()?;
        if let Some(place) = &mut place {
            place.offsets.advance(self.writer, place.partition, place.row_offsets, place.end)?;
        }
        let mut rejected = BTreeMap::new();
        for (job, table) in work {
            let found = match table {
                Some(table) => self.write_job(job, table)?,
                None => job.planned.rejected.clone(),
            };
            for (record, error) in found {
                rejected.entry(job.inputs[record]).or_insert(error);
            }
            if !rejected.is_empty() && !self.settings.tolerates_bad_records {
                self.writer.execute("ROLLBACK")?;
                return Ok(rejected);
            }
        }
        if let Some(place) = &mut place {
            let rows = rejected.keys().chain(&place.rejected);
            place.offsets.reject(self.writer, rows.map(|row| place.row_offsets[*row]))?;
        }
        self.writer.execute("COMMIT")?;
        if let Some(place) = place {
            place.offsets.committed();
        }
        Ok(rejected)
    }

    fn write_job(&mut self, job: &Job, table: &TargetTable) -> Result<BTreeMap<usize, Error>> {
        let mut bad: BTreeMap<usize, Error> =
            job.planned.rejected.iter().map(|(record, error)| (*record, error.clone())).collect();
        if job.truncates {
            self.writer.execute(&format!("DELETE FROM {}", table.table.in_sql(Some(self.writer.quote()))))?;
            return Ok(bad);
        }
        let mut done = BTreeSet::new();
        loop {
            let changes = row_changes(&job.planned, self.settings.mode, &|record| bad.contains_key(&record))?;
            let changes = not_yet_done(changes, &done);
            let known = bad.len();
            for change in &changes {
                for (row, error) in self.write_change(&job.planned, change, table)? {
                    bad.insert(change.records[row], error);
                }
            }
            // of a key whose last record is bad, the one before counts
            if bad.len() == known || !self.settings.tolerates_bad_records {
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
        let (settings, is_careful) = (*self.settings, self.is_careful);
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
        write_good_rows(0..rows.num_rows(), !settings.tolerates_bad_records, &mut write)
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
