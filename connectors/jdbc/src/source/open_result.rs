//! A result that is being read: its rows with the offsets behind them.
//!
//! Where only times say what is new, the offset moves to a time only behind the last row that has it, as in Java:
//! whoever goes on from there reads rows with a later time. So a batch is held back until the time of the next row is
//! known.

use std::time::Duration;

use arrow::record_batch::RecordBatch;
use volley_api::{Column, Result};

use super::late::Lookback;
use super::progress::ProgressColumns;
use super::stored_offset::Position;
use crate::database::{Connection, Fetched};
use crate::types::RecordMapping;

/// A result that is being read.
#[derive(Debug)]
pub(super) struct OpenResult {
    progress: ProgressColumns,
    /// Behind the rows that were given out.
    position: Position,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    values: Column,
    /// What the lookback has delivered with them.
    seen: Option<String>,
    /// Behind its last row, if the next one has another time.
    end: Position,
    /// Behind the rows before those of the last time.
    safe: Position,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Step {
    /// Rows, the position behind them, and what the lookback has delivered by then.
    Rows(Column, Position, Option<String>),
    /// Nothing yet.
    Waiting,
    /// There are no more.
    End(Position),
}

impl OpenResult {
    /// A result of rows behind `position`.
    pub(super) fn new(progress: ProgressColumns, position: Position) -> Self {
        Self { progress, position, held: None }
    }

    /// The next rows. Those that `lookback` has delivered before are passed over.
    pub(super) fn step(
        &mut self,
        connection: &mut dyn Connection,
        mapping: &mut RecordMapping,
        mut lookback: Option<&mut Lookback>,
        within: Duration,
    ) -> Result<Step> {
        loop {
            let ready = match connection.next(within)? {
                Fetched::Waiting => return Ok(Step::Waiting),
                Fetched::Rows(rows) if rows.num_rows() == 0 => None,
                Fetched::Rows(rows) => {
                    let mut values = mapping.values(&rows)?;
                    let mut seen = None;
                    if let Some(lookback) = &mut lookback {
                        values = lookback.take(&rows, &self.progress, values)?;
                        seen = Some(lookback.to_text());
                    }
                    self.take(&rows, values, seen)?
                }
                Fetched::End => match self.held.take() {
                    Some(held) => Some((held.values, held.end, held.seen)),
                    None => return Ok(Step::End(self.position)),
                },
            };
            if let Some((values, position, seen)) = ready {
                self.position = position;
                if !values.is_empty() {
                    return Ok(Step::Rows(values, position, seen));
                }
            }
        }
    }

    /// Takes rows; gives those that can go on, which may be none. A position never moves back.
    fn take(
        &mut self,
        rows: &RecordBatch,
        values: Column,
        seen: Option<String>,
    ) -> Result<Option<(Column, Position, Option<String>)>> {
        let last = rows.num_rows() - 1;
        let end = self.progress.position(rows, last)?.max(self.position);
        if self.progress.timestamps.is_empty() || self.progress.incrementing.is_some() {
            return Ok(Some((values, end, seen)));
        }
        let begins = self.progress.timestamp(rows, 0)?;
        let previous = self.held.take();
        // behind what comes before these rows
        let before = match &previous {
            None => self.position,
            Some(held) if held.end.timestamp == Some(begins) => held.safe,
            Some(held) => held.end,
        };
        let safe = match self.progress.last_time_begins(rows)? {
            0 => before,
            row => self.progress.position(rows, row - 1)?.max(self.position),
        };
        self.held = Some(Held { values, seen, end, safe });
        Ok(previous.map(|held| (held.values, before, held.seen)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
    use arrow::datatypes::{DataType, Field, TimeUnit};
    use chrono_tz::Tz;

    use super::super::test_driver::TestConnection;
    use super::*;
    use crate::database::{Number, ResultColumn, Timestamp};
    use crate::types::{Granularity, NumericMapping, TypeSettings, UnsupportedColumns};

    fn columns() -> Vec<ResultColumn> {
        [("id", DataType::Int64), ("at", DataType::Timestamp(TimeUnit::Microsecond, None))]
            .map(|(name, data_type)| ResultColumn {
                field: Field::new(name, data_type, true),
                type_name: String::new(),
                number: Number::No,
                has_days: false,
                is_left_out_by_java: false,
            })
            .to_vec()
    }

    /// The number of rows and the time (in microseconds) of each step, and the position at the end.
    fn steps(incrementing: Option<usize>, timestamps: &[usize], batches: &[&[i64]]) -> Vec<(usize, Position)> {
        let mut id = 0;
        let batches = batches.iter().map(|times| {
            let ids: Int64Array = times
                .iter()
                .map(|_| {
                    id += 1;
                    id
                })
                .collect();
            let times = TimestampMicrosecondArray::from(times.to_vec());
            RecordBatch::try_from_iter([("id", Arc::new(ids) as ArrayRef), ("at", Arc::new(times) as ArrayRef)])
                .unwrap()
        });
        let mut connection = TestConnection::with_rows(columns(), batches.collect());
        let settings = TypeSettings {
            numbers: NumericMapping::None,
            granularity: Granularity::ConnectLogical,
            zone: Tz::UTC,
            unsupported: UnsupportedColumns::Deliver,
        };
        let mut mapping = RecordMapping::new(columns(), &settings, None).unwrap();
        let progress = ProgressColumns { incrementing, timestamps: timestamps.to_vec(), zone: Tz::UTC };
        let mut open = OpenResult::new(progress, Position::default());
        let mut steps = Vec::new();
        loop {
            match open.step(&mut connection, &mut mapping, None, Duration::ZERO).unwrap() {
                Step::Rows(values, position, _) => steps.push((values.len(), position)),
                Step::Waiting => {}
                Step::End(position) => {
                    steps.push((0, position));
                    return steps;
                }
            }
        }
    }

    fn times(batches: &[&[i64]]) -> Vec<(usize, Option<i64>)> {
        let micros = |at: Timestamp| at.millis() * 1_000 + i64::from(at.nanos_of_second() % 1_000_000 / 1_000);
        steps(None, &[1], batches).into_iter().map(|(rows, position)| (rows, position.timestamp.map(micros))).collect()
    }

    #[test]
    fn the_offset_moves_to_a_time_only_behind_the_last_row_that_has_it() {
        assert_eq!(times(&[&[1, 2, 3, 3], &[3, 4], &[5]]), [(4, Some(2)), (2, Some(4)), (1, Some(5)), (0, Some(5))]);
        assert_eq!(times(&[&[3, 3], &[3, 3], &[3, 4]]), [(2, None), (2, None), (2, Some(4)), (0, Some(4))]);
        assert_eq!(times(&[&[1, 2]]), [(2, Some(2)), (0, Some(2))]);
        assert_eq!(times(&[&[2], &[2, 3], &[3]]), [(1, None), (2, Some(2)), (1, Some(3)), (0, Some(3))]);
        assert_eq!(times(&[]), [(0, None)]);
    }

    #[test]
    fn with_a_number_beside_the_time_every_row_has_an_offset_of_its_own() {
        let found = steps(Some(0), &[1], &[&[3, 3], &[3]]);
        let numbers: Vec<_> = found.iter().map(|(rows, position)| (*rows, position.incrementing)).collect();
        assert_eq!(numbers, [(2, Some(2)), (1, Some(3)), (0, Some(3))]);
        assert_eq!(found[0].1.timestamp, Some(Timestamp::from_micros(3)));
        let found = steps(Some(0), &[], &[&[3]]);
        assert_eq!(found[0].1, Position { incrementing: Some(1), timestamp: None });
    }
}
