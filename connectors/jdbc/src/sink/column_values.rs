//! Values of records as they are written: few types, and what the configuration makes of them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, ListArray};
use arrow::compute::{CastOptions, cast, cast_with_options, is_null, kernels::zip::zip};
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef, TimeUnit};
use chrono_tz::Tz;
use volley_api::{Error, Result, mixed_as_text, schema};

use super::default_value::default_value;
use super::json_text::json_texts;
use crate::database::shown_at;

/// Debezium's texts with a date, a time and a time zone.
const ZONED: &str = "io.debezium.time.ZonedTimestamp";
const DAY_MICROS: i64 = 86_400_000_000;

/// What becomes of structs, arrays and maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nested {
    /// They are JSON text; arrays of plain values may stay arrays.
    Json,
    /// The fields of a struct are columns.
    Flatten,
    /// They are refused.
    Fail,
}

/// What decides about values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueSettings {
    /// The time zone in which dates are the day at midnight UTC; UTC: they are what they are.
    pub(super) date_zone: Tz,
    /// Fields that are points in time.
    pub(super) timestamp_fields: Vec<String>,
    /// Whether their integers count nanoseconds.
    pub(super) counts_nanos: bool,
    /// Whether nulls become the default of their field.
    pub(super) fills_defaults: bool,
    pub(super) nested: Nested,
    /// Whether Debezium's texts with a time zone are points in time.
    pub(super) means_debezium: bool,
}

/// A column as it is written; values that have no place in its type are null, and `refused` has their rows.
///
/// # Errors
/// `Data` for a type that cannot be written.
pub(super) fn written(
    field: &Field,
    array: &ArrayRef,
    settings: &ValueSettings,
    refused: &mut Vec<usize>,
) -> Result<(Field, ArrayRef)> {
    let is_zoned = settings.means_debezium && field.metadata().get(schema::NAME).is_some_and(|name| name == ZONED);
    let is_timestamp = is_zoned || settings.timestamp_fields.iter().any(|name| name == field.name());
    let (data_type, array) = match is_timestamp {
        true => point_in_time(field, array, settings.counts_nanos, refused)?,
        false => plain(field, array, settings, refused)?,
    };
    let kept = [schema::DEFAULT, schema::EXTENSION_NAME, schema::NAME];
    let mut metadata = field.metadata().clone();
    metadata.retain(|key, _| kept.contains(&key.as_str()));
    if is_nested(field.data_type()) && data_type == DataType::Utf8 {
        metadata.insert(schema::EXTENSION_NAME.to_owned(), schema::JSON_EXTENSION.to_owned());
    }
    let field = Field::new(field.name(), data_type, field.is_nullable()).with_metadata(metadata);
    let array = if settings.fills_defaults { filled(&field, array)? } else { array };
    Ok((field, array))
}

/// Whether values of a type have values in them.
pub(super) fn is_nested(data_type: &DataType) -> bool {
    data_type.is_nested()
}

/// Arrays as JSON text, for columns that are no arrays.
///
/// # Errors
/// `Data` for a type that has no JSON.
pub(super) fn without_arrays(field: &Field, array: &ArrayRef) -> Result<(Field, ArrayRef)> {
    if !is_nested(array.data_type()) {
        return Ok((field.clone(), Arc::clone(array)));
    }
    let texts = json_texts(&Arc::new(field.clone()), array)?;
    let text = schema::json_text_field(field.name()).with_nullable(field.is_nullable());
    Ok((text, Arc::new(texts)))
}

/// The type that values are written as; `None` for what is JSON.
fn written_type(field: &Field) -> Option<DataType> {
    Some(match field.data_type() {
        DataType::Dictionary(_, values) => {
            return written_type(&Field::new(field.name(), values.as_ref().clone(), true));
        }
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| "UTC".into())),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            let item_type = written_type(item).filter(|_| !is_nested(item.data_type()))?;
            DataType::List(Arc::new(Field::new_list_field(item_type, true)))
        }
        DataType::Struct(_) | DataType::Map(..) => return None,
        other => other.clone(),
    })
}

fn plain(
    field: &Field,
    array: &ArrayRef,
    settings: &ValueSettings,
    refused: &mut Vec<usize>,
) -> Result<(DataType, ArrayRef)> {
    if is_nested(field.data_type()) && settings.nested == Nested::Fail {
        return Err(Error::data(format!(
            "field `{}` is of type {}, and `volley.nested.values` is fail",
            field.name(),
            field.data_type()
        )));
    }
    let Some(target) = written_type(field) else {
        let field: FieldRef = Arc::new(field.clone());
        return Ok((DataType::Utf8, Arc::new(json_texts(&field, array)?)));
    };
    let array = if schema::is_mixed(field) && field.data_type() == &DataType::Utf8 {
        Arc::new(mixed_as_text(array.as_string::<i32>()))
    } else if let DataType::List(item) = &target {
        list(array, item)?
    } else {
        cast_or_refuse(array, &target, refused)?
    };
    Ok((target, shifted(array, settings.date_zone)))
}

fn list(array: &ArrayRef, item: &FieldRef) -> Result<ArrayRef> {
    let list = cast(array, &DataType::List(Arc::new(Field::new_list_field(item_type(array), true))))?;
    let list = list.as_list::<i32>();
    let values = cast(list.values(), item.data_type())?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned())?))
}

fn item_type(array: &ArrayRef) -> DataType {
    match array.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => item.data_type().clone(),
        other => other.clone(),
    }
}

/// The values in another type; those that have no place there are null.
fn cast_or_refuse(array: &ArrayRef, target: &DataType, refused: &mut Vec<usize>) -> Result<ArrayRef> {
    if array.data_type() == target {
        return Ok(Arc::clone(array));
    }
    let cast = cast_with_options(array, target, &CastOptions { safe: true, ..CastOptions::default() })?;
    if cast.null_count() > array.logical_null_count() {
        refused.extend((0..array.len()).filter(|row| cast.is_null(*row) && !array.is_null(*row)));
    }
    Ok(cast)
}

/// Points in time that are numbers or texts.
fn point_in_time(
    field: &Field,
    array: &ArrayRef,
    counts_nanos: bool,
    refused: &mut Vec<usize>,
) -> Result<(DataType, ArrayRef)> {
    let target = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let counted = |unit| DataType::Timestamp(unit, Some("UTC".into()));
    let array = match field.data_type() {
        DataType::Int64 if counts_nanos => {
            cast_or_refuse(&cast(array, &counted(TimeUnit::Nanosecond))?, &target, refused)?
        }
        DataType::Int64 => cast(array, &target)?,
        DataType::Utf8 | DataType::Timestamp(..) => cast_or_refuse(array, &target, refused)?,
        other => {
            return Err(Error::data(format!(
                "field `{}` of `timestamp.fields.list` is of type {other}: it must be a 64-bit integer or a text",
                field.name()
            )));
        }
    };
    Ok((target, array))
}

/// Dates as the day that clocks of `zone` show at midnight UTC.
fn shifted(array: ArrayRef, zone: Tz) -> ArrayRef {
    match array.as_primitive_opt::<Date32Type>() {
        Some(dates) if zone != Tz::UTC => {
            let day = |days: i32| {
                let shown = shown_at(i64::from(days).saturating_mul(DAY_MICROS), zone);
                shown.and_then(|micros| i32::try_from(micros.div_euclid(DAY_MICROS)).ok()).unwrap_or(days)
            };
            let shifted: Date32Array = dates.unary(day);
            Arc::new(shifted)
        }
        _ => array,
    }
}

/// The values, with the default of the field where they are null.
fn filled(field: &Field, array: ArrayRef) -> Result<ArrayRef> {
    if array.null_count() == 0 {
        return Ok(array);
    }
    let Some(default) = default_value(field)? else { return Ok(array) };
    let is_null: BooleanArray = is_null(&array)?;
    Ok(zip(&is_null, &arrow::array::Scalar::new(default), &array)?)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Int64Array, StringArray, TimestampMillisecondArray, UInt64Array};
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn settings() -> ValueSettings {
        ValueSettings {
            date_zone: Tz::UTC,
            timestamp_fields: vec!["at".to_owned()],
            counts_nanos: false,
            fills_defaults: true,
            nested: Nested::Json,
            means_debezium: false,
        }
    }

    fn shown(field: &Field, array: ArrayRef, settings: &ValueSettings) -> (Vec<String>, Vec<usize>) {
        let mut refused = Vec::new();
        let (field, array) = written(field, &array, settings, &mut refused).unwrap();
        assert_eq!(field.data_type(), array.data_type());
        ((0..array.len()).map(|row| array_value_to_string(&array, row).unwrap()).collect(), refused)
    }

    #[test]
    fn fields_that_are_points_in_time_are_numbers_or_texts() {
        let at = |data_type| Field::new("at", data_type, true);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        assert_eq!(shown(&at(DataType::Int64), numbers, &settings()).0, ["1970-01-01T00:00:00.000001Z"]);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![2_000]));
        let nanos = ValueSettings { counts_nanos: true, ..settings() };
        assert_eq!(shown(&at(DataType::Int64), numbers, &nanos).0, ["1970-01-01T00:00:00.000002Z"]);
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("2026-01-31T12:00:00.5Z"), Some("soon"), None]));
        let (shown, refused) = shown(&at(DataType::Utf8), texts, &settings());
        assert_eq!((shown[0].as_str(), refused), ("2026-01-31T12:00:00.500Z", vec![1]));
    }

    #[test]
    fn what_has_no_place_in_its_type_refuses_its_row_only() {
        let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1, i64::MAX]).with_timezone("UTC"));
        let field = Field::new("t", times.data_type().clone(), true);
        let (shown, refused) = shown(&field, times, &settings());
        assert_eq!((shown[0].as_str(), refused), ("1970-01-01T00:00:00.001Z", vec![1]));
    }

    #[test]
    fn an_unsigned_number_never_overflows() {
        let numbers: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
        let field = Field::new("n", DataType::UInt64, true);
        assert_eq!(shown(&field, numbers, &settings()).0, ["18446744073709551615"]);
    }

    #[test]
    fn nulls_are_defaults_and_dates_may_be_shifted_as_in_java() {
        let metadata = HashMap::from([(schema::DEFAULT.to_owned(), "7".to_owned())]);
        let field = Field::new("n", DataType::Int64, true).with_metadata(metadata);
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        assert_eq!(shown(&field, Arc::clone(&numbers), &settings()).0, ["1", "7"]);
        let kept = ValueSettings { fills_defaults: false, ..settings() };
        assert_eq!(shown(&field, numbers, &kept).0, ["1", ""]);
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![1]));
        let west = ValueSettings { date_zone: "America/New_York".parse().unwrap(), ..settings() };
        assert_eq!(shown(&Field::new("d", DataType::Date32, true), dates, &west).0, ["1970-01-01"]);
    }
}
