//! The time of a message.

use arrow::array::{Array, AsArray, PrimitiveArray, StructArray};
use arrow::datatypes::{DataType, Int64Type};
use volley_api::{Error, Result, schema};

use super::outbox_rows::typed_column;
use crate::debezium::envelope::{class_cast, refused};
use crate::debezium::events::{Events, Kind, with_value};

const CHANGE_TIME: &str = "ts_ms";
const NO_TIME: i64 = -1;

/// The time of each row in milliseconds: of the column, or of the change where that is not given or null. Rows whose time
/// cannot be told are rejected.
pub(super) fn event_times(
    events: &mut Events<'_>,
    envelopes: &StructArray,
    rows: &StructArray,
    column: Option<&str>,
) -> Result<Vec<i64>> {
    let mut times = vec![NO_TIME; envelopes.len()];
    let mut lacks_time: Vec<u32> = events.rows(|kind| kind == Kind::State);
    if let Some(name) = column {
        match column_times(events, rows, name, &lacks_time)? {
            Ok(found) => {
                for row in with_value(&lacks_time, &found) {
                    times[row] = found.value(row);
                }
                lacks_time.retain(|row| found.is_null(*row as usize));
            }
            Err(error) => {
                events.reject(Kind::State, &error);
                return Ok(times);
            }
        }
    }
    if lacks_time.is_empty() {
        return Ok(times);
    }
    match typed_column(envelopes, CHANGE_TIME, &DataType::Int64, "INT64")? {
        Ok(found) => {
            let found = found.as_primitive::<Int64Type>();
            with_value(&lacks_time, found).for_each(|row| times[row] = found.value(row));
        }
        Err(error) => lacks_time.into_iter().for_each(|row| events.reject_row(row as usize, error.clone())),
    }
    Ok(times)
}

type Times = PrimitiveArray<Int64Type>;

/// The times of a column, which has one of Debezium's types.
fn column_times(
    events: &mut Events<'_>,
    rows: &StructArray,
    name: &str,
    meant: &[u32],
) -> Result<std::result::Result<Times, Error>> {
    let Some((place, field)) = rows.fields().find(name) else {
        return Ok(Err(refused(Error::data(format!("Unable to find timestamp field {name} in event")))));
    };
    let none = || Times::new_null(rows.len());
    let values = rows.column(place);
    let reject_values = |events: &mut Events<'_>, error: Error| {
        with_value(meant, values).for_each(|row| events.reject_row(row, error.clone()));
    };
    if let DataType::Timestamp(..) = field.data_type() {
        reject_values(events, class_cast(Error::data(format!("field `{name}` is no number"))));
        return Ok(Ok(none()));
    }
    let values = match typed_column(rows, name, &DataType::Int64, "INT64")? {
        Ok(values) => values,
        Err(error) => return Ok(Err(error)),
    };
    let values = values.as_primitive::<Int64Type>();
    let per_milli = match field.metadata().get(schema::NAME).map(String::as_str) {
        Some("io.debezium.time.Timestamp") => 1,
        Some("io.debezium.time.MicroTimestamp") => 1_000,
        Some("io.debezium.time.NanoTimestamp") => 1_000_000,
        other => {
            let message = match other {
                None => "Unsupported field type INT64 (without logical schema name) for event timestamp".to_owned(),
                Some(other) => format!("Unsupported field type {other} for event timestamp"),
            };
            reject_values(events, refused(Error::data(message)));
            return Ok(Ok(none()));
        }
    };
    Ok(Ok(values.unary(|value| value / per_milli)))
}
