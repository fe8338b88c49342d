//! The values of a column as values of another type.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, PrimitiveArray, StringBuilder, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMillisecondType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use volley_api::{Column, Error, Result, schema};
use volley_java::{ColumnText, class_of};

use super::cast_type::CastType;
use super::number_text::{java_float, java_integer};
use super::numbers::Numbers;
use crate::columns::{Failure, Outcome, as_connect};
use crate::date_format::iso_text;

const INPUTS: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]";
const MILLIS_PER_DAY: i64 = 86_400_000;

/// The values as `target`; nulls stay nulls.
pub(crate) fn cast_values(column: &Column, target: CastType) -> Outcome<ArrayRef> {
    let column = &as_connect(column)?;
    let values = &column.array;
    if column.field.data_type() == &DataType::Null || values.null_count() == values.len() {
        return Ok(new_null_array(&target.data_type(), values.len()));
    }
    let has_schema = schema::has_schema(&column.field);
    match (column.field.data_type(), target) {
        (DataType::Utf8, _) if !has_schema && schema::is_json_text(&column.field) => Err(unsupported(column, "ARRAY")),
        (DataType::Utf8, CastType::String) => Ok(Arc::clone(values)),
        (DataType::Utf8, _) => from_texts(column, target),
        (DataType::List(_), _) => Err(unsupported(column, "ARRAY")),
        (DataType::Map(..), _) => Err(unsupported(column, "MAP")),
        (DataType::Struct(_), _) => Err(unsupported(column, if has_schema { "STRUCT" } else { "MAP" })),
        (from, CastType::String) if from.is_integer() || from == &DataType::Boolean => {
            Ok(cast(values, &DataType::Utf8)?)
        }
        (_, CastType::String) => Ok(as_texts(column)?),
        _ => match Numbers::of(values)? {
            Some(numbers) => Ok(numbers.cast(target)),
            None => {
                let message =
                    format!("Unexpected type in Cast transformation: class {}", class_of(column.field.data_type()));
                Err(Failure::of_values(column, &Error::data(message)))
            }
        },
    }
}

fn unsupported(column: &Column, found: &str) -> Failure {
    let message = format!("Cast transformation does not support casting from {found}; supported types are {INPUTS}");
    Failure::of_values(column, &Error::data(message))
}

/// Text by text: each has to be read.
fn from_texts(column: &Column, target: CastType) -> Outcome<ArrayRef> {
    match target {
        CastType::Int8 => parsed::<Int8Type>(column, |text| java_integer(text)?.try_into().ok()),
        CastType::Int16 => parsed::<Int16Type>(column, |text| java_integer(text)?.try_into().ok()),
        CastType::Int32 => parsed::<Int32Type>(column, |text| java_integer(text)?.try_into().ok()),
        CastType::Int64 => parsed::<Int64Type>(column, java_integer),
        CastType::Float32 => parsed::<Float32Type>(column, java_float),
        CastType::Float64 => parsed::<Float64Type>(column, java_float),
        CastType::Boolean | CastType::String => {
            let mut flags = BooleanBuilder::with_capacity(column.len());
            for text in column.array.as_string::<i32>() {
                flags.append_option(text.map(|text| text.eq_ignore_ascii_case("true")));
            }
            Ok(Arc::new(flags.finish()))
        }
    }
}

fn parsed<T: ArrowPrimitiveType>(column: &Column, parse: impl Fn(&str) -> Option<T::Native>) -> Outcome<ArrayRef> {
    let texts = column.array.as_string::<i32>();
    let mut failed = Vec::new();
    let numbers = texts.iter().enumerate().map(|(row, text)| {
        let number = parse(text?);
        if number.is_none() {
            failed.push(row);
        }
        number
    });
    let numbers: PrimitiveArray<T> = numbers.collect();
    if failed.is_empty() {
        return Ok(Arc::new(numbers));
    }
    let error = |row| Error::data(format!("Value ({}) was out of range for requested data type", texts.value(row)));
    Err(Failure::Rows(failed.into_iter().map(|row| (row, error(row))).collect()))
}

/// Value by value: a text has no kernel of Java's form.
fn as_texts(column: &Column) -> Result<ArrayRef> {
    let values = &column.array;
    let mut texts = StringBuilder::with_capacity(values.len(), 0);
    if let Some(write) = special_text(&column.field, values)? {
        (0..values.len()).for_each(|row| texts.append_option(values.is_valid(row).then(|| write(row))));
        return Ok(Arc::new(texts.finish()));
    }
    let source = ColumnText::of(column)?;
    let mut text = Vec::new();
    for row in 0..values.len() {
        text.clear();
        source.write(row, &mut text);
        texts.append_option(values.is_valid(row).then(|| String::from_utf8_lossy(&text)));
    }
    Ok(Arc::new(texts.finish()))
}

type WriteText<'a> = Box<dyn Fn(usize) -> String + 'a>;

/// Bytes as base64, dates and times as ISO 8601 has them.
fn special_text<'a>(field: &Field, values: &'a ArrayRef) -> Result<Option<WriteText<'a>>> {
    Ok(match field.data_type() {
        DataType::Binary => {
            let bytes = values.as_binary::<i32>();
            Some(Box::new(|row| STANDARD.encode(bytes.value(row))))
        }
        DataType::Date32 => {
            let days = values.as_primitive::<Date32Type>();
            Some(Box::new(|row| iso_text(i64::from(days.value(row)) * MILLIS_PER_DAY)))
        }
        DataType::Time32(_) => {
            let times = cast(values, &DataType::Time32(arrow::datatypes::TimeUnit::Millisecond))?;
            let times = times.as_primitive::<Time32MillisecondType>().clone();
            Some(Box::new(move |row| iso_text(i64::from(times.value(row)))))
        }
        DataType::Timestamp(..) => {
            let times = cast(values, &schema::timestamp_type())?;
            let times = times.as_primitive::<TimestampMillisecondType>().clone();
            Some(Box::new(move |row| iso_text(times.value(row))))
        }
        _ => None,
    })
}
