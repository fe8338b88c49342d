//! How far the rows of a result go.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use volley_api::{Error, Result};

use super::stored_offset::Position;
use crate::database::Timestamp;

const DAY_MILLIS: i64 = 86_400_000;

/// The columns of a result that say how far it goes, by their places.
#[derive(Clone, Debug)]
pub(super) struct ProgressColumns {
    /// The number.
    pub(super) incrementing: Option<usize>,
    /// The time: the first that is not null.
    pub(super) timestamps: Vec<usize>,
    /// Of times without a time zone.
    pub(super) zone: Tz,
}

impl ProgressColumns {
    /// The position of a row.
    ///
    /// # Errors
    /// `Config` for a column that has no such values, `Data` for a row that has none.
    pub(super) fn position(&self, rows: &RecordBatch, row: usize) -> Result<Position> {
        Ok(Position {
            incrementing: self.incrementing.map(|place| number_at(rows, place, row)).transpose()?,
            timestamp: if self.timestamps.is_empty() { None } else { Some(self.timestamp(rows, row)?) },
        })
    }

    /// Where the last rows begin that have the same time.
    pub(super) fn last_time_begins(&self, rows: &RecordBatch) -> Result<usize> {
        let end = rows.num_rows();
        let last = self.timestamp(rows, end - 1)?;
        // few rows have the time of the last one, so that this looks at few
        for row in (0..end).rev() {
            if self.timestamp(rows, row)? != last {
                return Ok(row + 1);
            }
        }
        Ok(0)
    }

    /// The time of a row.
    pub(super) fn timestamp(&self, rows: &RecordBatch, row: usize) -> Result<Timestamp> {
        for place in &self.timestamps {
            let column = rows.column(*place);
            if column.is_valid(row) {
                return timestamp_at(column, row, self.zone).ok_or_else(|| {
                    let name = name_of(rows, *place);
                    Error::config(format!("column `{name}` has no points in time, but {}", column.data_type()))
                });
            }
        }
        Err(Error::data(
            "a row has no time in any of the columns of `timestamp.column.name`: leave such rows out in a `query`",
        ))
    }
}

/// The number of a row.
fn number_at(rows: &RecordBatch, place: usize, row: usize) -> Result<i64> {
    let column = rows.column(place).slice(row, 1);
    let name = name_of(rows, place);
    let is_number = match column.data_type() {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale <= 0,
        // of no fixed scale
        DataType::Utf8 => true,
        other => other.is_integer(),
    };
    if !is_number {
        return Err(Error::config(format!(
            "column `{name}` has no integers, but {}: it cannot say which rows are new",
            column.data_type()
        )));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let numbers = cast_with_options(&column, &DataType::Int64, &options).map_err(|error| {
        Error::config(format!(
            "column `{name}` has a value that is no integer of 64 bits: it cannot say which rows are new"
        ))
        .with_source(error)
    })?;
    if numbers.is_null(0) {
        return Err(Error::data(format!("a row has no number in column `{name}`: leave such rows out in a `query`")));
    }
    Ok(numbers.as_primitive::<Int64Type>().value(0))
}

fn timestamp_at(column: &ArrayRef, row: usize, zone: Tz) -> Option<Timestamp> {
    let zone_of = |of_column: &Option<_>| if of_column.is_some() { Tz::UTC } else { zone };
    match column.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, of_column) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            Some(Timestamp::from_micros(micros).when_shown_in(zone_of(of_column)))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, of_column) => {
            let nanos = column.as_primitive::<TimestampNanosecondType>().value(row);
            Some(Timestamp::from_nanos(nanos).when_shown_in(zone_of(of_column)))
        }
        DataType::Date32 => {
            let days = i64::from(column.as_primitive::<Date32Type>().value(row));
            Some(Timestamp::from_millis(days * DAY_MILLIS).when_shown_in(zone))
        }
        _ => None,
    }
}

fn name_of(rows: &RecordBatch, place: usize) -> String {
    rows.schema_ref().field(place).name().clone()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Int32Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    fn rows(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn columns(incrementing: Option<usize>, timestamps: &[usize]) -> ProgressColumns {
        ProgressColumns { incrementing, timestamps: timestamps.to_vec(), zone: Tz::UTC }
    }

    #[test]
    fn the_first_time_that_is_not_null_counts() {
        let updated = TimestampMicrosecondArray::from(vec![Some(5), None, None]);
        let created = TimestampMicrosecondArray::from(vec![Some(1), Some(7), None]);
        let rows = rows(vec![("updated", Arc::new(updated)), ("created", Arc::new(created))]);
        let times = columns(None, &[0, 1]);
        assert_eq!(times.timestamp(&rows, 0).unwrap(), Timestamp::from_micros(5));
        assert_eq!(times.timestamp(&rows, 1).unwrap(), Timestamp::from_micros(7));
        assert!(times.timestamp(&rows, 2).is_err());
    }

    #[test]
    fn the_rows_of_the_last_time_are_found() {
        let at = |times: Vec<i64>| rows(vec![("at", Arc::new(TimestampMicrosecondArray::from(times)) as ArrayRef)]);
        for (times, expected) in [(vec![1, 2, 3, 3], 2), (vec![3, 3], 0), (vec![1, 3], 1), (vec![1], 0)] {
            assert_eq!(columns(None, &[0]).last_time_begins(&at(times.clone())).unwrap(), expected, "{times:?}");
        }
    }

    #[test]
    fn any_whole_number_counts_and_nothing_else() {
        let number =
            |array: ArrayRef| columns(Some(0), &[]).position(&rows(vec![("id", array)]), 0).map(|at| at.incrementing);
        assert_eq!(number(Arc::new(Int32Array::from(vec![7]))).unwrap(), Some(7));
        let decimal =
            |value: i128, scale| Decimal128Array::from(vec![value]).with_precision_and_scale(38, scale).unwrap();
        assert_eq!(number(Arc::new(decimal(7, 0))).unwrap(), Some(7));
        assert_eq!(number(Arc::new(StringArray::from(vec!["12"]))).unwrap(), Some(12));
        assert!(number(Arc::new(StringArray::from(vec!["x"]))).unwrap_err().to_string().contains("`id`"));
        assert!(number(Arc::new(decimal(7, 1))).is_err());
        assert!(number(Arc::new(decimal(i128::MAX / 4, 0))).is_err());
        assert!(number(Arc::new(Int32Array::from(vec![None]))).is_err());
    }
}
