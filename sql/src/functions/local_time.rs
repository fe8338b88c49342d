//! `to_timezone(time, zone)` and `from_timezone(local time, zone)`: the time on the clocks of a zone.
//!
//! Where the clocks are put forward, a time that they do not show counts by the offset before; where they are put back, a
//! time that they show twice is the first: as in Java.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, StringBuilder, TimestampMillisecondArray};
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use chrono::{DateTime, Days, NaiveDateTime, TimeZone, Utc};
use datafusion::common::{exec_datafusion_err, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use volley_api::schema::timestamp_type;

use super::argument_types::{text_type, texts};

const SHOWN: &str = "%Y-%m-%dT%H:%M:%S%.3f%:z";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    To,
    From,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ZoneFunction {
    direction: Direction,
    signature: Signature,
}

/// The functions.
pub(super) fn functions() -> impl Iterator<Item = ScalarUDF> {
    let function = |direction| ZoneFunction { direction, signature: Signature::user_defined(Volatility::Immutable) };
    [Direction::To, Direction::From].into_iter().map(move |direction| ScalarUDF::from(function(direction)))
}

impl ScalarUDFImpl for ZoneFunction {
    fn name(&self) -> &str {
        match self.direction {
            Direction::To => "to_timezone",
            Direction::From => "from_timezone",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [time, zone] = arg_types else {
            return exec_err!("`{}` takes a time and a time zone", self.name());
        };
        let time = match (self.direction, time) {
            (Direction::To, DataType::Timestamp(..) | DataType::Date32 | DataType::Null) => timestamp_type(),
            // the digits of a timestamp count, without their zone
            (Direction::From, DataType::Timestamp(..) | DataType::Date32) => {
                DataType::Timestamp(TimeUnit::Millisecond, None)
            }
            (Direction::From, time) => text_type(time)?,
            (Direction::To, other) => return plan_err!("a timestamp is needed, not {other}"),
        };
        Ok(vec![time, text_type(zone)?])
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match self.direction {
            Direction::To => DataType::Utf8,
            Direction::From => timestamp_type(),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays: Vec<ArrayRef> = ColumnarValue::values_to_arrays(&args.args)?;
        let (times, mut zones) = (&arrays[0], Zones::new(&arrays[1]));
        Ok(ColumnarValue::Array(match self.direction {
            Direction::To => shown_in(times, &mut zones)?,
            Direction::From => instants_of(times, &mut zones)?,
        }))
    }
}

/// The zone of each row: rows with the zone of the row before do not look it up again.
struct Zones<'a> {
    names: &'a ArrayRef,
    last: Option<(&'a str, Tz)>,
}

impl<'a> Zones<'a> {
    fn new(names: &'a ArrayRef) -> Self {
        Self { names, last: None }
    }

    fn at(&mut self, row: usize) -> Result<Option<Tz>> {
        let names = texts(self.names);
        if names.is_null(row) {
            return Ok(None);
        }
        let name = names.value(row);
        if let Some((last, zone)) = self.last
            && last == name
        {
            return Ok(Some(zone));
        }
        let unknown = |_| exec_datafusion_err!("unknown time zone `{name}`; give one such as Europe/Zurich or +02:00");
        let zone: Tz = name.parse().map_err(unknown)?;
        self.last = Some((name, zone));
        Ok(Some(zone))
    }
}

fn shown_in(times: &ArrayRef, zones: &mut Zones<'_>) -> Result<ArrayRef> {
    let times = times.as_primitive::<TimestampMillisecondType>();
    let mut builder = StringBuilder::with_capacity(times.len(), times.len() * 29);
    for (row, time) in times.iter().enumerate() {
        let (Some(time), Some(zone)) = (time, zones.at(row)?) else {
            builder.append_null();
            continue;
        };
        let beyond = || exec_datafusion_err!("{time} ms is beyond the times that a calendar can show");
        let utc = DateTime::<Utc>::from_timestamp_millis(time).ok_or_else(beyond)?;
        // a local time may be beyond where the time in UTC is not
        utc.naive_utc().checked_add_days(Days::new(1)).ok_or_else(beyond)?;
        utc.naive_utc().checked_sub_days(Days::new(1)).ok_or_else(beyond)?;
        builder.append_value(utc.with_timezone(&zone).format(SHOWN).to_string());
    }
    Ok(Arc::new(builder.finish()))
}

fn instants_of(times: &ArrayRef, zones: &mut Zones<'_>) -> Result<ArrayRef> {
    let mut instants = Vec::with_capacity(times.len());
    for row in 0..times.len() {
        let zone = zones.at(row)?;
        instants.push(match zone {
            Some(zone) if times.is_valid(row) => Some(instant_at(times, row, zone)?),
            _ => None,
        });
    }
    Ok(Arc::new(TimestampMillisecondArray::from(instants).with_timezone("UTC")))
}

fn instant_at(times: &ArrayRef, row: usize, zone: Tz) -> Result<i64> {
    if times.data_type() == &DataType::Utf8 {
        return instant_of_text(texts(times).value(row), zone);
    }
    let digits = times.as_primitive::<TimestampMillisecondType>().value(row);
    let local = DateTime::<Utc>::from_timestamp_millis(digits).map(|time| time.naive_utc());
    local
        .and_then(|local| instant_of(local, zone))
        .ok_or_else(|| exec_datafusion_err!("{digits} ms is beyond the times that a calendar can show"))
}

/// A text with an offset is the time that it says, in any zone.
fn instant_of_text(text: &str, zone: Tz) -> Result<i64> {
    if let Ok(time) = string_to_datetime(&zone, text) {
        return Ok(time.timestamp_millis());
    }
    let local = string_to_datetime(&Utc, text).ok().and_then(|time| instant_of(time.naive_utc(), zone));
    local.ok_or_else(|| exec_datafusion_err!("`{text}` is no time such as 2024-01-02T03:04:05"))
}

fn instant_of(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    let found = zone.from_local_datetime(&local);
    match found.earliest() {
        Some(time) => Some(time.timestamp_millis()),
        // the clocks are put forward by a few hours at most
        None => {
            let before = local.checked_sub_days(Days::new(1))?;
            let before = zone.from_local_datetime(&before).earliest()?;
            let time = local.checked_add_signed(before.naive_utc() - before.naive_local())?;
            Some(time.and_utc().timestamp_millis())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_clocks_do_not_show_or_show_twice_are_those_of_java() {
        let zurich: Tz = "Europe/Zurich".parse().unwrap();
        let utc = |millis: i64| DateTime::<Utc>::from_timestamp_millis(millis).unwrap().to_rfc3339();
        for (local, expected) in [
            ("2024-01-02T03:04:05.678", "2024-01-02T02:04:05.678+00:00"),
            ("2024-07-02 03:04:05", "2024-07-02T01:04:05+00:00"),
            ("2024-07-02", "2024-07-01T22:00:00+00:00"),
            // put forward at 02:00, back at 03:00
            ("2024-03-31T02:30:00", "2024-03-31T01:30:00+00:00"),
            ("2024-10-27T02:30:00", "2024-10-27T00:30:00+00:00"),
            ("2024-07-02T03:04:05-05:00", "2024-07-02T08:04:05+00:00"),
        ] {
            assert_eq!(utc(instant_of_text(local, zurich).unwrap()), expected, "{local}");
        }
        assert!(instant_of_text("yesterday", zurich).unwrap_err().to_string().contains("`yesterday` is no time"));
        assert!(instant_of(NaiveDateTime::MIN, zurich).is_none());
    }
}
