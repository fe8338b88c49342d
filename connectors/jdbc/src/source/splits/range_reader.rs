//! One range of a table, and for the task of the first range the table behind the snapshot.
//!
//! The last rows of the first range are held back until everything else of the snapshot is stored. They go out under
//! the source partition of the table, with the offset that Java's connector would have behind a first pass: so that
//! is there exactly when the snapshot is complete.

use std::sync::Arc;
use std::time::{Duration, Instant};

use volley_api::{Column, Error, Result, SourceContext, SourcePartition};

use super::key_position::KeyPosition;
use super::range_rows::RangeRows;
use super::range_sql::{Snapshot, any_row, range_rows};
use super::split_offset::{self, RangeState, split_partition, to_offset};
use super::split_plan::SplitPlan;
use super::table_splits::LAST_TO_END;
use crate::database::{Connection, Fetched, TableId, Timestamp};
use crate::source::access::Access;
use crate::source::config::{InitialTimestamp, SourceConfig};
use crate::source::mode_columns::ModeColumns;
use crate::source::reader::{Read, Reader};

/// When a range is looked at again that waits for others.
const SOON: Duration = Duration::from_secs(1);
/// How long a row is waited for at a time that is only looked for.
const ANSWER: Duration = Duration::from_millis(100);

/// A range.
#[derive(Debug)]
pub(in crate::source) struct RangeReader {
    /// Reads the table behind the snapshot; until then it has the columns and the topic.
    whole: Reader,
    table: TableId,
    plan: Arc<SplitPlan>,
    index: usize,
    partition: SourcePartition,
    context: SourceContext,
    /// What was given out.
    state: RangeState,
    /// Whether this task has given anything out with an offset of the range.
    has_given: bool,
    phase: Phase,
    due: Instant,
    /// Whether nothing is read behind the snapshot.
    is_bounded: bool,
}

#[derive(Debug)]
enum Phase {
    /// The range is read; whether it was, and nothing was left that could carry the mark of its end.
    Reading { was_empty: bool },
    /// Rows come.
    Open(RangeRows),
    /// The first range: its last rows wait for everything else.
    Waiting(Option<Column>),
    /// Everything else is stored.
    Complete(Option<Column>),
    /// The snapshot has ended.
    Behind,
    /// Nothing is left to do.
    Done,
}

impl RangeReader {
    /// The reader of a range that was read as far as `state` says.
    pub(super) fn new(
        whole: Reader,
        table: TableId,
        plan: Arc<SplitPlan>,
        index: usize,
        state: RangeState,
        (config, context): (&SourceConfig, &SourceContext),
    ) -> Self {
        let is_bounded = config.is_bounded;
        let phase = if state.is_done { Phase::Done } else { Phase::Reading { was_empty: false } };
        let (partition, context) = (split_partition(&table, index), context.clone());
        let due = Instant::now();
        Self { whole, table, plan, index, partition, context, state, has_given: false, phase, due, is_bounded }
    }

    #[cfg(test)]
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// Whether something can be given out of it now.
    pub(in crate::source) fn is_open(&self) -> bool {
        match &self.phase {
            Phase::Open(_) | Phase::Complete(_) => true,
            Phase::Behind => self.whole.is_open(),
            Phase::Reading { .. } | Phase::Waiting(_) | Phase::Done => false,
        }
    }

    /// When it is looked at again.
    pub(in crate::source) fn due(&self) -> Instant {
        if matches!(self.phase, Phase::Behind) { self.whole.due } else { self.due }
    }

    /// Whether it is not looked at again.
    pub(in crate::source) fn is_done(&self) -> bool {
        match &self.phase {
            Phase::Done => true,
            Phase::Behind => self.whole.is_done,
            _ => false,
        }
    }

    /// Begins to read, or looks whether what it waits for has come.
    pub(in crate::source) fn begin(&mut self, access: &mut Access<'_>) -> Result<()> {
        match self.phase {
            Phase::Behind => self.whole.begin(access),
            Phase::Reading { was_empty } => {
                if was_empty && self.is_rest_stored(access)? {
                    self.phase = Phase::Done;
                    return Ok(());
                }
                self.open(access)
            }
            Phase::Waiting(_) => {
                if self.is_rest_stored(access)? && self.is_own_stored()? {
                    let Phase::Waiting(rows) = &mut self.phase else { return Ok(()) };
                    self.phase = Phase::Complete(rows.take());
                }
                Ok(())
            }
            Phase::Open(_) | Phase::Complete(_) | Phase::Done => Ok(()),
        }
    }

    /// The next rows.
    pub(in crate::source) fn read(&mut self, connection: &mut dyn Connection, within: Duration) -> Result<Read> {
        match &mut self.phase {
            Phase::Open(_) => self.read_rows(connection, within),
            Phase::Complete(rows) => {
                let rows = rows.take();
                Ok(self.end_snapshot(rows))
            }
            Phase::Behind => self.whole.read(connection, within),
            Phase::Reading { .. } | Phase::Waiting(_) | Phase::Done => Ok(Read::End),
        }
    }

    /// Says when it is looked at again, after [`Read::End`].
    pub(in crate::source) fn end(&mut self, config: &SourceConfig) {
        match self.phase {
            Phase::Behind => self.whole.end(config),
            _ => self.due = Instant::now() + SOON,
        }
    }

    /// Gives up the result. What was not given out is read again; rows that wait stay.
    pub(in crate::source) fn close(&mut self) {
        match self.phase {
            Phase::Open(_) => self.phase = Phase::Reading { was_empty: false },
            Phase::Behind => self.whole.close(),
            _ => {}
        }
    }

    fn open(&mut self, access: &mut Access<'_>) -> Result<()> {
        if self.plan.until.is_some() && access.config.waits_for_transactions {
            // what may still come into the snapshot was begun before the plan was made
            let found = access.connection.open_transactions().map_err(|error| self.failed(error))?;
            let settled = access.settling.look(found);
            if settled.is_none_or(|settled| settled <= Timestamp::from_micros(self.plan.at)) {
                return Ok(());
            }
        }
        let columns = self.whole.mode_columns(access)?;
        let range = self.plan.range(self.index, self.state.key.as_deref());
        let snapshot = snapshot_of(access.config, &columns);
        let statement = range_rows(&access.writing(), &self.table, &self.plan, &range, &snapshot);
        let query = access.query(statement);
        let found = access.connection.query(&query).map_err(|error| self.failed(error))?;
        let key = found.iter().position(|column| column.field.name() == &self.plan.column);
        let keys = key.and_then(|place| KeyPosition::of(&self.plan, place, found[place].field.data_type()));
        self.whole.map(found, &columns, access.config)?;
        self.phase = Phase::Open(RangeRows::new(keys, self.state.key.clone()));
        Ok(())
    }

    fn read_rows(&mut self, connection: &mut dyn Connection, within: Duration) -> Result<Read> {
        loop {
            let fetched = connection.next(within).map_err(|error| self.failed(error))?;
            let Phase::Open(open) = &mut self.phase else { return Ok(Read::End) };
            match fetched {
                Fetched::Waiting => return Ok(Read::Waiting),
                Fetched::Rows(rows) if rows.num_rows() == 0 => {}
                Fetched::Rows(rows) => {
                    let values = self.whole.values(&rows)?;
                    let ready = open.take(&rows, values).map_err(|error| self.failed(error))?;
                    if let Some((values, key)) = ready {
                        self.state.key = key;
                        return Ok(self.give(values));
                    }
                }
                Fetched::End => {
                    let last = open.end();
                    return Ok(self.end_range(last));
                }
            }
        }
    }

    /// Ends the range with its last rows.
    fn end_range(&mut self, last: Option<Column>) -> Read {
        let has_snapshot = self.plan.until.is_some();
        if has_snapshot && self.index == LAST_TO_END {
            self.phase = Phase::Waiting(last);
            return Read::End;
        }
        match last {
            Some(values) => {
                self.phase = Phase::Done;
                self.state.is_done = true;
                self.give(values)
            }
            // nothing can say that it has ended: it has once everything has
            None if has_snapshot => {
                self.phase = Phase::Reading { was_empty: true };
                Read::End
            }
            None => {
                self.phase = Phase::Done;
                Read::End
            }
        }
    }

    /// Ends the snapshot: its last rows have the offset behind all of it.
    fn end_snapshot(&mut self, last: Option<Column>) -> Read {
        self.phase = Phase::Behind;
        self.whole.go_on_behind(self.plan.until.unwrap_or_default(), self.is_bounded);
        tracing::info!(table = %self.table, ranges = self.plan.ranges(), "all ranges of a table were read");
        match last {
            None => Read::End,
            Some(values) => Read::Batch(Box::new(self.whole.batch(values))),
        }
    }

    /// Rows with the offset of the range.
    fn give(&mut self, values: Column) -> Read {
        self.has_given = true;
        self.state.rows = self.state.rows.saturating_add(i64::try_from(values.len()).unwrap_or(i64::MAX));
        let mut batch = self.whole.batch(values);
        batch.partition = self.partition.clone();
        batch.offset = to_offset(&self.plan, &self.state);
        Read::Batch(Box::new(batch))
    }

    /// How far each range was stored.
    fn stored(&self) -> Result<Vec<RangeState>> {
        let partitions: Vec<_> = (0..self.plan.ranges()).map(|index| split_partition(&self.table, index)).collect();
        let stored = self.context.offsets(&partitions)?.into_iter();
        stored
            .map(|offset| match offset.filter(|offset| !offset.is_empty()) {
                None => Ok(RangeState::default()),
                Some(offset) => {
                    let (plan, state) = split_offset::parse(&offset)?;
                    Ok(if plan.at == self.plan.at { state } else { RangeState::default() })
                }
            })
            .collect()
    }

    /// Whether the ranges behind the first are stored to their ends, or have nothing that could be.
    fn is_rest_stored(&mut self, access: &mut Access<'_>) -> Result<bool> {
        let columns = self.whole.mode_columns(access)?;
        for (index, state) in self.stored()?.iter().enumerate() {
            let key = state.key.as_deref();
            if index != LAST_TO_END
                && !state.is_done
                && has_rows(access, &self.table, &self.plan, (index, key), &columns)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether what this task has given out of its range is stored.
    fn is_own_stored(&self) -> Result<bool> {
        Ok(!self.has_given || self.stored()?.get(self.index).is_some_and(|state| state.rows == self.state.rows))
    }

    fn failed(&self, error: Error) -> Error {
        Error::new(error.kind(), format!("could not read table {}: {error}", self.table)).with_source(error)
    }
}

/// The snapshot of a table with these columns of the mode.
pub(super) fn snapshot_of<'a>(config: &SourceConfig, columns: &'a ModeColumns) -> Snapshot<'a> {
    let initial_time = match config.timestamp_initial {
        InitialTimestamp::After(at) => at,
        InitialTimestamp::Now => Timestamp::from_millis(i64::MIN),
    };
    Snapshot { columns, initial_number: config.incrementing_initial, initial_time }
}

/// Whether anything is left of a range behind a key.
pub(super) fn has_rows(
    access: &mut Access<'_>,
    table: &TableId,
    plan: &SplitPlan,
    (index, key): (usize, Option<&str>),
    columns: &ModeColumns,
) -> Result<bool> {
    let snapshot = snapshot_of(access.config, columns);
    let query = access.query(any_row(&access.writing(), table, plan, &plan.range(index, key), &snapshot));
    access.connection.query(&query)?;
    loop {
        match access.connection.next(ANSWER)? {
            Fetched::Waiting => {}
            Fetched::Rows(rows) if rows.num_rows() == 0 => {}
            Fetched::Rows(_) => return Ok(true),
            Fetched::End => return Ok(false),
        }
    }
}
