//! Decides which tables are divided, and where.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::record_batch::RecordBatch;
use volley_api::{ConnectorContext, Error, ErrorKind, Result};

use super::range_reader::{has_rows, snapshot_of};
use super::range_sql::{Snapshot, borders, last_row};
use super::split_offset::{self, RangeState, split_partitions};
use super::split_plan::SplitPlan;
use super::table_splits::chosen_plan;
use crate::database::{Connection, Driver, Fetched, KeyKind, TableColumn, TableId, Timestamp};
use crate::source::access::Access;
use crate::source::config::{InitialTimestamp, SourceConfig};
use crate::source::late::Settling;
use crate::source::mode_columns::{ModeColumns, primary_key};
use crate::source::progress::ProgressColumns;
use crate::source::stored_offset::{Position, stored_offset};

/// Rows that are looked at to find borders, for each range and in all.
const SAMPLE_OF_RANGE: u64 = 1_000;
const SAMPLE: u64 = 20_000;
/// How long the database may take to find borders: a connector must be there in a few minutes.
const PATIENCE: Duration = Duration::from_secs(100);
const ANSWER: Duration = Duration::from_millis(100);

/// Makes plans, and remembers them while the connector runs.
#[derive(Debug)]
pub(in crate::source) struct Planner {
    driver: Arc<dyn Driver>,
    config: SourceConfig,
    context: ConnectorContext,
    plans: HashMap<TableId, Arc<SplitPlan>>,
    /// Tables that are read as a whole.
    whole: HashSet<TableId>,
}

/// The key by which a table is divided.
struct Key {
    column: String,
    kind: KeyKind,
    is_unique: bool,
}

impl Planner {
    /// The planner of a connector.
    pub(in crate::source) fn new(driver: Arc<dyn Driver>, config: SourceConfig, context: ConnectorContext) -> Self {
        Self { driver, config, context, plans: HashMap::new(), whole: HashSet::new() }
    }

    /// The tables with their plans; without one a table is read as a whole.
    ///
    /// # Errors
    /// If the database is out of reach, or offsets cannot be read.
    pub(in crate::source) fn plan(
        &mut self,
        tables: &[TableId],
        max_tasks: usize,
    ) -> Result<Vec<(TableId, Option<Arc<SplitPlan>>)>> {
        let (mut connection, mut planned) = (None, Vec::with_capacity(tables.len()));
        for table in tables {
            let plan = if self.is_whole(table)? { None } else { self.plan_of(table, max_tasks, &mut connection)? };
            if plan.is_none() {
                self.plans.remove(table);
                self.whole.insert(table.clone());
            }
            planned.push((table.clone(), plan));
        }
        Ok(planned)
    }

    /// Whether a table is not divided, whatever is in it.
    fn is_whole(&self, table: &TableId) -> Result<bool> {
        let mode = self.config.reading.mode;
        if self.whole.contains(table) || (mode.is_bulk() && self.config.splits.is_off()) {
            return Ok(true);
        }
        // Java's connector, or an earlier pass, has read it to there
        Ok(!mode.is_bulk() && !stored_offset(table, |known| self.context.offsets(known))?.1.is_empty())
    }

    fn plan_of(
        &mut self,
        table: &TableId,
        max_tasks: usize,
        connection: &mut Option<Box<dyn Connection>>,
    ) -> Result<Option<Arc<SplitPlan>>> {
        if let Some(plan) = self.plans.get(table) {
            return Ok(Some(Arc::clone(plan)));
        }
        let plan = match self.begun(table)? {
            None => self.made(table, max_tasks, i64::MIN, connection)?,
            Some((plan, states)) => match self.is_ended(table, &plan, &states, connection)? {
                true => self.made(table, max_tasks, plan.at, connection)?,
                false => Some(plan),
            },
        };
        Ok(plan.map(|plan| {
            let plan = Arc::new(plan);
            self.plans.insert(table.clone(), Arc::clone(&plan));
            plan
        }))
    }

    /// The plan that was begun, and how far each of its ranges was read.
    fn begun(&self, table: &TableId) -> Result<Option<(SplitPlan, Vec<RangeState>)>> {
        let mode = self.config.reading.mode;
        let mut stored = Vec::new();
        for (index, offset) in self.context.offsets(&split_partitions(table))?.into_iter().enumerate() {
            if let Some(offset) = offset.filter(|offset| !offset.is_empty()) {
                let (plan, state) = split_offset::parse(&offset)?;
                if plan.fits(mode.is_incrementing, mode.is_timestamp) {
                    stored.push((index, plan, state));
                }
            }
        }
        let Some((_, first, _)) = stored.first() else { return Ok(None) };
        let plan = chosen_plan(&self.config, first, stored.iter().map(|(_, plan, _)| plan)).clone();
        let mut states = vec![RangeState::default(); plan.ranges()];
        for (index, of, state) in stored {
            if let Some(place) = states.get_mut(index).filter(|_| of.at == plan.at) {
                *place = state;
            }
        }
        Ok(Some((plan, states)))
    }

    /// Whether nothing is left of a bulk that was begun, so that another one begins.
    fn is_ended(
        &self,
        table: &TableId,
        plan: &SplitPlan,
        states: &[RangeState],
        connection: &mut Option<Box<dyn Connection>>,
    ) -> Result<bool> {
        if plan.until.is_some() {
            return Ok(false);
        }
        let left = states.iter().enumerate().filter(|(_, state)| !state.is_done);
        let left: Vec<_> = left.map(|(index, state)| (index, state.key.as_deref())).collect();
        let columns = ModeColumns { incrementing: None, timestamps: Vec::new(), keys: Vec::new() };
        let has_rows = self.asked(table, connection, |access| {
            for range in &left {
                if has_rows(access, table, plan, *range, &columns)? {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })?;
        Ok(has_rows.is_none())
    }

    /// A new plan, made later than `behind`.
    fn made(
        &self,
        table: &TableId,
        max_tasks: usize,
        behind: i64,
        connection: &mut Option<Box<dyn Connection>>,
    ) -> Result<Option<SplitPlan>> {
        let has_no_snapshot =
            self.config.reading.mode.is_timestamp && self.config.timestamp_initial == InitialTimestamp::Now;
        if self.config.splits.is_off() || has_no_snapshot {
            return Ok(None);
        }
        self.asked(table, connection, |access| make(access, table, max_tasks, behind))
    }

    /// What the database answers; it is asked as often as `connection.attempts` says. Nothing where it refuses.
    fn asked<T>(
        &self,
        table: &TableId,
        connection: &mut Option<Box<dyn Connection>>,
        question: impl Fn(&mut Access<'_>) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let mut attempt = 1;
        loop {
            let answered = self.connected(connection).and_then(|connection| {
                let mut settling = Settling::default();
                let (driver, config, settling) = (&*self.driver, &self.config, &mut settling);
                question(&mut Access { connection, driver, config, settling })
            });
            let Err(error) = answered else { return answered };
            *connection = None;
            match error.kind() {
                ErrorKind::Retriable if attempt < self.config.attempts => {
                    tracing::warn!(attempt, error = %format!("{error:#}"), "could not divide a table; trying again");
                    attempt += 1;
                    std::thread::sleep(self.config.backoff);
                }
                // the task says what is wrong with the table
                ErrorKind::Config | ErrorKind::Data => {
                    let error = format!("{error:#}");
                    tracing::warn!(%table, error, "a table cannot be divided (`table.splits`): it is read as a whole");
                    return Ok(None);
                }
                _ => return Err(error),
            }
        }
    }

    fn connected<'a>(&self, connection: &'a mut Option<Box<dyn Connection>>) -> Result<&'a mut dyn Connection> {
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(self.driver.connect(&self.config.settings)?),
        };
        Ok(&mut **connection)
    }
}

/// Makes a plan, if the table has anything to divide.
fn make(access: &mut Access<'_>, table: &TableId, max_tasks: usize, behind: i64) -> Result<Option<SplitPlan>> {
    let rows = access.connection.estimated_rows(table)?;
    let Some(count) = access.config.splits.of_table(rows, max_tasks) else { return Ok(None) };
    let config = access.config;
    let columns = ModeColumns::find(&config.reading, Some(table), config.validates_non_null, access.connection)?;
    let Some(key) = key_of(&columns, &access.connection.columns(table)?, table) else { return Ok(None) };
    let snapshot = snapshot_of(config, &columns);
    let mut until = None;
    if !config.reading.mode.is_bulk() {
        until = last_position(access, table, &snapshot)?;
        if until.is_none() {
            return Ok(None);
        }
    }
    let at = micros(access.connection.current_time()?).max(behind.saturating_add(1));
    let Key { column, kind, is_unique } = key;
    let mut plan = SplitPlan { at, column, kind, is_unique, borders: Vec::new(), until };
    let Some(found) = find_borders(access, table, &plan, count, rows, &snapshot)? else {
        tracing::warn!(%table, "the keys of a table take too long to sample (`table.splits`): it is read as a whole");
        return Ok(None);
    };
    plan.borders = found;
    if plan.borders.is_empty() {
        return Ok(None);
    }
    tracing::info!(%table, column = plan.column, ranges = plan.ranges(), "a table is read by ranges");
    Ok(Some(plan))
}

/// The column whose values divide a table: the number of the mode, else the first of the primary key.
fn key_of(mode: &ModeColumns, columns: &[TableColumn], table: &TableId) -> Option<Key> {
    let primary = primary_key(columns);
    let is_by_number = mode.incrementing.is_some() && mode.timestamps.is_empty();
    let name = if is_by_number { mode.incrementing.as_ref() } else { primary.first().or(mode.incrementing.as_ref()) };
    let Some(name) = name else {
        tracing::warn!(%table, "the table has no primary key by which it could be divided (`table.splits`)");
        return None;
    };
    let kind = columns.iter().find(|column| column.name == *name).and_then(|column| column.key_kind);
    let is_unique = primary.len() == 1 && primary[0] == *name;
    // a number that is told as a text cannot say what was read
    let kind = kind.filter(|kind| *kind == KeyKind::Number || is_unique || !is_by_number);
    let Some(kind) = kind else {
        tracing::warn!(%table, column = name, "a table cannot be divided by this column (`table.splits`)");
        return None;
    };
    Some(Key { column: name.clone(), kind, is_unique })
}

/// The offset behind everything that there is now.
fn last_position(access: &mut Access<'_>, table: &TableId, snapshot: &Snapshot<'_>) -> Result<Option<Position>> {
    let before = match access.config.reading.mode.is_timestamp {
        true => Some(access.connection.current_time()?.minus_millis(access.config.delay_ms)),
        false => None,
    };
    let statement = last_row(&access.writing(), table, before, snapshot);
    let times = snapshot.columns.timestamps.len();
    let progress = ProgressColumns {
        incrementing: snapshot.columns.incrementing.as_ref().map(|_| times),
        timestamps: (0..times).collect(),
        zone: access.config.types.zone,
    };
    let mut found = None;
    let is_answered = answer(access, statement, |rows| {
        found = Some(progress.position(rows, 0)?);
        Ok(())
    })?;
    Ok(found.filter(|_| is_answered))
}

/// Borders for so many ranges; `None` if they are not found in time.
fn find_borders(
    access: &mut Access<'_>,
    table: &TableId,
    plan: &SplitPlan,
    count: usize,
    rows: Option<u64>,
    snapshot: &Snapshot<'_>,
) -> Result<Option<Vec<String>>> {
    let wanted = SAMPLE.max(SAMPLE_OF_RANGE.saturating_mul(count as u64));
    let percent = rows.filter(|rows| *rows > 4 * wanted).map_or(100.0, |rows| 100.0 * wanted as f64 / rows as f64);
    let statement = borders(&access.writing(), table, plan, count, percent, snapshot);
    let mut found = Vec::new();
    let is_answered = answer(access, statement, |rows| {
        let texts = rows.column(0).as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| Error::config("the database does not write keys as texts"))?;
        found.extend(texts.iter().flatten().map(str::to_owned));
        Ok(())
    })?;
    // of equal numbers of rows there may be one more
    found.truncate(count.saturating_sub(1));
    Ok(is_answered.then_some(found))
}

/// Reads an answer; whether it has come in time.
fn answer(
    access: &mut Access<'_>,
    statement: String,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<bool> {
    let query = access.query(statement);
    let deadline = Instant::now() + PATIENCE;
    access.connection.query(&query)?;
    loop {
        match access.connection.next(ANSWER)? {
            Fetched::End => return Ok(true),
            Fetched::Rows(rows) if rows.num_rows() == 0 => {}
            Fetched::Rows(rows) => take(&rows)?,
            Fetched::Waiting if Instant::now() > deadline => return Ok(false),
            Fetched::Waiting => {}
        }
    }
}

fn micros(at: Timestamp) -> i64 {
    at.millis().saturating_mul(1_000).saturating_add(i64::from(at.nanos_of_second() % 1_000_000 / 1_000))
}
