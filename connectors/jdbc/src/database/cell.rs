//! One value, for databases that are told values one by one.

use std::borrow::Cow;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimeUnit, TimestampMicrosecondType,
};
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use super::Timestamp;

const SECOND_MICROS: i64 = 1_000_000;

/// A value of a column that is written.
///
/// | Arrow | cell |
/// |---|---|
/// | Boolean, Int8 … Int64, Float32, Float64 | Boolean, Integer, Float, Double |
/// | Utf8, Binary, Decimal128, Decimal256 | Text, Bytes, Decimal |
/// | Date32, Time64(us) | Date, Time |
/// | Timestamp(us, zone), Timestamp(us) | Instant, Local |
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A number of 32 bits.
    Float(f32),
    /// A number of 64 bits.
    Double(f64),
    /// A number, in decimal.
    Decimal(String),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Days since 1970.
    Date(i32),
    /// Microseconds of the day.
    Time(i64),
    /// A point in time: microseconds since 1970 in UTC.
    Instant(i64),
    /// What a clock without a zone shows: microseconds since 1970.
    Local(i64),
}

impl<'a> Cell<'a> {
    /// The value in `row`.
    ///
    /// # Errors
    /// The type, if it is none of those above.
    pub fn of(array: &'a dyn Array, row: usize) -> Result<Self, String> {
        if array.is_null(row) {
            return Ok(Self::Null);
        }
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean().value(row)),
            DataType::Int8 => Self::Integer(array.as_primitive::<Int8Type>().value(row).into()),
            DataType::Int16 => Self::Integer(array.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int32 => Self::Integer(array.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Self::Integer(array.as_primitive::<Int64Type>().value(row)),
            DataType::Float32 => Self::Float(array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().value(row)),
            DataType::Binary => Self::Bytes(array.as_binary::<i32>().value(row)),
            DataType::Decimal128(..) | DataType::Decimal256(..) => {
                Self::Decimal(array_value_to_string(array, row).map_err(|error| error.to_string())?)
            }
            DataType::Date32 => Self::Date(array.as_primitive::<Date32Type>().value(row)),
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::Time(array.as_primitive::<Time64MicrosecondType>().value(row))
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                if zone.is_some() { Self::Instant(micros) } else { Self::Local(micros) }
            }
            other => return Err(format!("values of type {other}")),
        })
    }

    /// The value as text that databases read; `None` for null.
    ///
    /// # Errors
    /// Why there is none: bytes are no text, and the calendar ends somewhere.
    pub fn text(&self, zone: Tz) -> Result<Option<Cow<'a, str>>, String> {
        Ok(Some(Cow::Owned(match self {
            Self::Null => return Ok(None),
            Self::Text(text) => return Ok(Some(Cow::Borrowed(text))),
            Self::Boolean(truth) => truth.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => float_text(f64::from(*number), number.to_string()),
            Self::Double(number) => float_text(*number, number.to_string()),
            Self::Decimal(number) => number.clone(),
            Self::Bytes(_) => return Err("bytes, where a text is wanted".to_owned()),
            Self::Date(days) => date(*days)?.format("%Y-%m-%d").to_string(),
            Self::Time(micros) => time(*micros)?.format("%H:%M:%S%.6f").to_string(),
            Self::Instant(_) | Self::Local(_) => {
                self.date_time(zone)?.unwrap_or_default().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
            }
        })))
    }

    /// What a clock of `zone` shows, for dates, and for points in time; `None` for anything else.
    ///
    /// # Errors
    /// The time, if it is not in the calendar.
    pub fn date_time(&self, zone: Tz) -> Result<Option<NaiveDateTime>, String> {
        match self {
            Self::Date(days) => Ok(Some(date(*days)?.and_time(NaiveTime::MIN))),
            Self::Local(micros) => local(*micros).map(Some),
            Self::Instant(micros) => match Timestamp::from_micros(*micros).in_zone(zone) {
                Some((shown, _)) => in_calendar(shown).map(Some),
                None => Err(no_calendar()),
            },
            _ => Ok(None),
        }
    }

    /// Microseconds since 1970 in UTC of a point in time; what a clock shows is one of `zone`. `None` for anything
    /// else.
    pub fn instant(&self, zone: Tz) -> Option<i64> {
        match self {
            Self::Instant(micros) => Some(*micros),
            Self::Local(micros) => Some(shown_in(*micros, zone)),
            _ => None,
        }
    }
}

/// Microseconds since 1970 of what clocks of `zone` show at a point in time.
pub fn shown_at(micros: i64, zone: Tz) -> Option<i64> {
    if zone == Tz::UTC {
        return Some(micros);
    }
    let (_, difference) = Timestamp::from_micros(micros).in_zone(zone)?;
    micros.checked_add(i64::from(difference) * SECOND_MICROS)
}

/// When clocks of `zone` show this.
pub fn shown_in(micros: i64, zone: Tz) -> i64 {
    let seconds = Timestamp::from_micros(micros).when_shown_in(zone).millis().div_euclid(1_000);
    seconds.saturating_mul(SECOND_MICROS).saturating_add(micros.rem_euclid(SECOND_MICROS))
}

fn time(micros: i64) -> Result<NaiveTime, String> {
    let seconds = u32::try_from(micros.div_euclid(SECOND_MICROS)).ok();
    let nanos = (micros.rem_euclid(SECOND_MICROS) * 1_000) as u32;
    seconds
        .and_then(|seconds| NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos))
        .ok_or_else(|| "a time that no day has".to_owned())
}

fn date(days: i32) -> Result<NaiveDate, String> {
    let epoch = NaiveDate::default();
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let date = if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) };
    let date = date.ok_or_else(no_calendar)?;
    in_calendar(date.and_time(NaiveTime::MIN))?;
    Ok(date)
}

fn local(micros: i64) -> Result<NaiveDateTime, String> {
    let epoch = DateTime::UNIX_EPOCH.naive_utc();
    epoch.checked_add_signed(TimeDelta::microseconds(micros)).ok_or_else(no_calendar).and_then(in_calendar)
}

/// Years whose texts all databases read alike.
fn in_calendar(time: NaiveDateTime) -> Result<NaiveDateTime, String> {
    if (1..=9_999).contains(&time.year()) { Ok(time) } else { Err(no_calendar()) }
}

fn no_calendar() -> String {
    "a date out of the years 1 to 9999".to_owned()
}

fn float_text(number: f64, text: String) -> String {
    if number.is_infinite() { if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, TimestampMicrosecondArray};

    use super::*;

    fn text(array: &ArrayRef) -> Result<Option<String>, String> {
        let zone: Tz = "America/New_York".parse().unwrap();
        Ok(Cell::of(array, 0)?.text(zone)?.map(Cow::into_owned))
    }

    #[test]
    fn values_are_texts_that_databases_read() {
        let noon = 1_767_268_800_123_456_i64;
        let arrays: [(ArrayRef, &str); 6] = [
            (Arc::new(Decimal128Array::from(vec![-1234]).with_precision_and_scale(38, 3).unwrap()), "-1.234"),
            (Arc::new(Date32Array::from(vec![-1])), "1969-12-31"),
            (Arc::new(TimestampMicrosecondArray::from(vec![noon])), "2026-01-01 12:00:00.123456"),
            (Arc::new(TimestampMicrosecondArray::from(vec![noon]).with_timezone("UTC")), "2026-01-01 07:00:00.123456"),
            (Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])), "-Infinity"),
            (Arc::new(Float64Array::from(vec![1e-7])), "0.0000001"),
        ];
        for (array, expected) in arrays {
            assert_eq!(text(&array).unwrap().as_deref(), Some(expected));
        }
        let far: ArrayRef = Arc::new(Date32Array::from(vec![i32::MAX]));
        assert!(text(&far).is_err());
    }

    #[test]
    fn a_clock_without_a_zone_is_one_of_the_zone_that_is_set() {
        let zone: Tz = "Europe/Zurich".parse().unwrap();
        for micros in [0, 1_767_268_800_123_456, -1] {
            assert_eq!(shown_in(shown_at(micros, zone).unwrap(), zone), micros);
        }
    }
}
