//! How a column of a database becomes one of Connect.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array, ListArray, Time32MillisecondArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, FieldRef, Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampNanosecondType,
};
use chrono_tz::Tz;
use volley_api::{Error, Result};

use super::Granularity;
use crate::database::Timestamp;

const DAY_MICROS: i64 = 86_400_000_000;

/// How a column becomes another; see [`Conversion::target`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Conversion {
    /// It stays.
    Keep,
    /// A number in another type.
    Number(DataType),
    /// A time of day in milliseconds.
    TimeOfDay,
    /// The day that a time is in.
    Days,
    /// A point in time; those without a time zone are what clocks of this one show.
    Instant(Tz, Granularity),
    /// Each element.
    Elements(Box<Conversion>, FieldRef),
}

impl Conversion {
    /// How `data_type` becomes a type of Connect.
    pub(super) fn to_connect(data_type: &DataType, zone: Tz, granularity: Granularity) -> Self {
        match data_type {
            DataType::Time64(_) => Self::TimeOfDay,
            DataType::Timestamp(_, None) => Self::Instant(zone, granularity),
            DataType::Timestamp(_, Some(_)) => Self::Instant(Tz::UTC, granularity),
            DataType::List(element) => match Self::to_connect(element.data_type(), zone, granularity) {
                Self::Keep => Self::Keep,
                conversion => {
                    let element = element.as_ref().clone().with_data_type(conversion.target(element.data_type()));
                    Self::Elements(Box::new(conversion), Arc::new(element))
                }
            },
            _ => Self::Keep,
        }
    }

    /// The type that it gives.
    pub(super) fn target(&self, data_type: &DataType) -> DataType {
        match self {
            Self::Keep => data_type.clone(),
            Self::Number(target) => target.clone(),
            Self::TimeOfDay => DataType::Time32(TimeUnit::Millisecond),
            Self::Days => DataType::Date32,
            Self::Instant(_, granularity) => granularity.data_type(),
            Self::Elements(_, element) => DataType::List(Arc::clone(element)),
        }
    }

    /// Converts a column.
    ///
    /// # Errors
    /// `Data` for a value that has no place in the type.
    pub(super) fn apply(&self, column: &ArrayRef) -> Result<ArrayRef> {
        match self {
            Self::Keep => Ok(Arc::clone(column)),
            Self::Number(target) => {
                let options = CastOptions { safe: false, ..CastOptions::default() };
                Ok(cast_with_options(column, target, &options)?)
            }
            Self::TimeOfDay => {
                let times = column.as_primitive_opt::<Time64MicrosecondType>().ok_or_else(|| unexpected(column))?;
                let millis: Time32MillisecondArray = times.unary(|micros| (micros / 1_000) as i32);
                Ok(Arc::new(millis))
            }
            Self::Days => {
                let times = column.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(|| unexpected(column))?;
                // of all microseconds there are, the days are numbers of 32 bits
                let days: Date32Array = times.unary(|micros| micros.div_euclid(DAY_MICROS) as i32);
                Ok(Arc::new(days))
            }
            Self::Instant(zone, granularity) => {
                let (times, is_nanos) = counted(column)?;
                Ok(granularity.column(&in_utc(times, *zone, is_nanos), is_nanos))
            }
            Self::Elements(conversion, element) => {
                let lists = column.as_list_opt::<i32>().ok_or_else(|| unexpected(column))?;
                let values = conversion.apply(lists.values())?;
                let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
                Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, values, nulls)?))
            }
        }
    }
}

/// The numbers of a column of points in time, and whether they count nanoseconds.
fn counted(column: &ArrayRef) -> Result<(Int64Array, bool)> {
    if let Some(times) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        return Ok((times.reinterpret_cast::<Int64Type>(), false));
    }
    let times = column.as_primitive_opt::<TimestampNanosecondType>().ok_or_else(|| unexpected(column))?;
    Ok((times.reinterpret_cast::<Int64Type>(), true))
}

/// The same, where they are what clocks of `zone` show.
fn in_utc(times: Int64Array, zone: Tz, is_nanos: bool) -> Int64Array {
    if zone == Tz::UTC {
        return times;
    }
    let units = if is_nanos { 1_000_000_000 } else { 1_000_000 };
    times.unary(|time| {
        if time == i64::MAX || time == i64::MIN {
            return time;
        }
        let shown = Timestamp::from_millis(time.div_euclid(units).saturating_mul(1_000));
        let seconds = shown.when_shown_in(zone).millis().div_euclid(1_000);
        seconds.saturating_mul(units).saturating_add(time.rem_euclid(units))
    })
}

fn unexpected(column: &ArrayRef) -> Error {
    Error::fatal(format!(
        "a driver has delivered a column of type {}, which is not what it had told",
        column.data_type()
    ))
}
