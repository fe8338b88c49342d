//! The values of a field as texts of a path.
//!
//! | type | text |
//! |---|---|
//! | integers, booleans | `7`, `true` |
//! | text; mixed values | themselves; as plain text |
//! | dates | `2026-11-30` |
//! | timestamps | `20261130T201530.123Z`, without `Z` where they have no time zone: ISO 8601 without `:`, which HDFS refuses |
//! | null | `null` |
//!
//! Confluent takes integers, texts and booleans. Numbers with a fraction, bytes and nested values are refused here too.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use rustc_hash::FxHashMap;
use volley_api::schema::is_mixed;
use volley_api::{Result, mixed_as_text};

use super::field_path::FieldColumn;
use super::time::CivilTime;

const DAY_MS: i64 = 86_400_000;

/// The distinct values of a field.
#[derive(Debug)]
pub(crate) struct FieldValues {
    /// For each row, which value it has.
    pub(crate) codes: Vec<u32>,
    /// The text of each value.
    pub(crate) texts: Vec<String>,
}

impl FieldValues {
    /// The values of a column; `None` where its type has no texts for paths.
    ///
    /// # Errors
    /// None for a column whose array is of its field's type.
    pub(crate) fn of(column: &FieldColumn) -> Result<Option<Self>> {
        let array = match column.field.data_type() {
            DataType::Dictionary(_, values) => cast(&column.array, values)?,
            DataType::LargeUtf8 | DataType::Utf8View => cast(&column.array, &DataType::Utf8)?,
            _ if is_mixed(&column.field) => Arc::new(mixed_as_text(column.array.as_string())),
            _ => Arc::clone(&column.array),
        };
        Ok(Some(match array.data_type() {
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                distinct(column, |row| texts.value(row), str::to_owned)
            }
            DataType::Boolean => {
                let flags = array.as_boolean();
                distinct(column, |row| flags.value(row), |flag| flag.to_string())
            }
            DataType::Null => distinct(column, |_| false, |flag| flag.to_string()),
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32 => integers(column, &array, |number| number.to_string())?,
            DataType::Date32 => integers(column, &array, |days| date(days.saturating_mul(DAY_MS)))?,
            DataType::Date64 => integers(column, &array, date)?,
            DataType::Timestamp(unit, zone) => {
                let (unit, is_utc) = (*unit, zone.is_some());
                integers(column, &array, move |time| timestamp(time, unit, is_utc))?
            }
            _ => return Ok(None),
        }))
    }
}

fn integers(column: &FieldColumn, array: &ArrayRef, text: impl Fn(i64) -> String) -> Result<FieldValues> {
    let array = cast(array, &DataType::Int64)?;
    let numbers = array.as_primitive::<Int64Type>().values();
    Ok(distinct(column, |row| numbers[row], text))
}

/// Codes by value; each text is made once. The loop over rows looks a value up only where it differs from the one
/// before.
fn distinct<K: Hash + Eq + Copy>(
    column: &FieldColumn,
    value: impl Fn(usize) -> K,
    text: impl Fn(K) -> String,
) -> FieldValues {
    let mut texts = Vec::new();
    let mut known: FxHashMap<Option<K>, u32> = FxHashMap::default();
    let mut last: Option<(Option<K>, u32)> = None;
    let codes = (0..column.len())
        .map(|row| {
            let value = (!column.is_null(row)).then(|| value(row));
            if let Some((_, code)) = last.filter(|(known, _)| *known == value) {
                return code;
            }
            let code = *known.entry(value).or_insert_with(|| {
                texts.push(value.map_or_else(|| "null".to_owned(), &text));
                texts.len() as u32 - 1
            });
            last = Some((value, code));
            code
        })
        .collect();
    FieldValues { codes, texts }
}

fn date(utc_ms: i64) -> String {
    let time = CivilTime::of(utc_ms);
    format!("{:04}-{:02}-{:02}", time.year, time.month, time.day)
}

fn timestamp(time: i64, unit: TimeUnit, is_utc: bool) -> String {
    let (per_second, digits) = match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    };
    let fraction = match time.rem_euclid(per_second) {
        0 => String::new(),
        // three, six or nine digits, as many as are needed
        rest => {
            let all = format!("{rest:0digits$}");
            let needed = all.trim_end_matches('0').len().next_multiple_of(3);
            format!(".{}", &all[..needed])
        }
    };
    let time = CivilTime::of(time.div_euclid(per_second).saturating_mul(1_000));
    let zone = if is_utc { "Z" } else { "" };
    let CivilTime { year, month, day, hour, minute, second, .. } = time;
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}{fraction}{zone}")
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BooleanArray, Date32Array, DictionaryArray, Float64Array, Int8Array, Int64Array, LargeStringArray, NullArray,
        StringArray, StringViewArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampSecondArray,
        UInt32Array,
    };
    use arrow::datatypes::{Field, Int8Type};
    use volley_api::schema::mixed_field;

    use super::*;

    fn values(field: Field, array: ArrayRef) -> Option<Vec<String>> {
        let column = FieldColumn { field: Arc::new(field), nulls: array.logical_nulls(), array };
        let values = FieldValues::of(&column).unwrap()?;
        Some(values.codes.iter().map(|code| values.texts[*code as usize].clone()).collect())
    }

    fn texts(array: impl Array + 'static) -> Option<Vec<String>> {
        values(Field::new("f", array.data_type().clone(), true), Arc::new(array))
    }

    #[test]
    fn each_value_is_the_text_that_its_type_has() {
        let is = |found: Option<Vec<String>>, expected: &[&str]| assert_eq!(found.unwrap(), expected);
        is(texts(Int8Array::from(vec![Some(-1), None, Some(7)])), &["-1", "null", "7"]);
        is(
            texts(Int64Array::from(vec![i64::MIN, 0, i64::MIN])),
            &["-9223372036854775808", "0", "-9223372036854775808"],
        );
        is(texts(UInt32Array::from(vec![u32::MAX])), &["4294967295"]);
        is(texts(BooleanArray::from(vec![Some(true), None, Some(false)])), &["true", "null", "false"]);
        is(texts(StringArray::from(vec![Some("a"), Some(""), None, Some("null")])), &["a", "", "null", "null"]);
        is(texts(LargeStringArray::from(vec!["a", "b"])), &["a", "b"]);
        is(texts(StringViewArray::from(vec!["a", "b"])), &["a", "b"]);
        is(texts(DictionaryArray::<Int8Type>::from_iter([Some("x"), None, Some("x")])), &["x", "null", "x"]);
        is(texts(NullArray::new(2)), &["null", "null"]);
        is(texts(Date32Array::from(vec![Some(20_787), Some(-1), None])), &["2026-11-30", "1969-12-31", "null"]);
        is(texts(TimestampSecondArray::from(vec![-1])), &["19691231T235959"]);
        let millis = TimestampMillisecondArray::from(vec![1_796_069_730_123, 1_796_069_730_000, -1]);
        is(texts(millis.with_timezone("UTC")), &["20261130T201530.123Z", "20261130T201530Z", "19691231T235959.999Z"]);
        is(
            texts(TimestampMicrosecondArray::from(vec![1_500_000, 1])),
            &["19700101T000001.500", "19700101T000000.000001"],
        );
        assert_eq!(texts(Float64Array::from(vec![1.5])), None);
    }

    #[test]
    fn mixed_values_are_plain_text() {
        let mixed = StringArray::from(vec![Some(r#""paid""#), Some("5"), None]);
        assert_eq!(values(mixed_field("f"), Arc::new(mixed)).unwrap(), ["paid", "5", "null"]);
    }

    #[test]
    fn a_slice_has_the_values_of_its_own_rows() {
        let sliced = StringArray::from(vec![Some("a"), None, Some("b"), Some("c")]).slice(1, 2);
        assert_eq!(texts(sliced).unwrap(), ["null", "b"]);
        let sliced = Int8Array::from(vec![Some(1), None, Some(3)]).slice(1, 2);
        assert_eq!(texts(sliced).unwrap(), ["null", "3"]);
    }
}
