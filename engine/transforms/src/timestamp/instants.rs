//! Columns of times as instants: milliseconds since 1970-01-01 UTC.

use arrow::array::{Array, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use volley_api::{Column, Error, schema};
use volley_java::class_of;

use super::time_type::{Precision, TimeType};
use crate::columns::{Failure, Outcome, as_connect};
use crate::date_format::DateFormat;

const MILLIS_PER_DAY: i64 = 86_400_000;
/// Up to here every whole number is a double; beyond it, whole numbers are not in columns of doubles.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The instants of a column; nulls stay nulls.
pub(crate) fn instants(column: &Column, format: Option<&DateFormat>, precision: Precision) -> Outcome<Int64Array> {
    let column = &as_connect(column)?;
    let values = &column.array;
    if column.field.data_type() == &DataType::Null {
        return Ok(Int64Array::new_null(values.len()));
    }
    let has_schema = schema::has_schema(&column.field);
    if !has_schema && values.null_count() == values.len() {
        return Ok(Int64Array::new_null(values.len()));
    }
    if !has_schema && column.field.data_type() == &DataType::Float64 {
        return whole_numbers(column, precision);
    }
    let source = TimeType::of(column.field.data_type()).filter(|_| has_schema || !schema::is_json_text(&column.field));
    Ok(match source {
        None => return Err(Failure::of_values(column, &no_time(column))),
        Some(TimeType::String) => return parsed(column, format),
        Some(TimeType::Unix) => values.as_primitive::<Int64Type>().unary(|number| precision.to_millis(number)),
        Some(TimeType::Date) => values.as_primitive::<Date32Type>().unary(|days| i64::from(days) * MILLIS_PER_DAY),
        Some(TimeType::Time) => {
            let times = cast(values, &DataType::Time32(TimeUnit::Millisecond))?;
            times.as_primitive::<Time32MillisecondType>().unary(i64::from)
        }
        Some(TimeType::Timestamp) => {
            let times = cast(values, &schema::timestamp_type())?;
            times.as_primitive::<TimestampMillisecondType>().reinterpret_cast::<Int64Type>()
        }
    })
}

/// Whole numbers are in a column of doubles where some of its values are not whole; these fail.
fn whole_numbers(column: &Column, precision: Precision) -> Outcome<Int64Array> {
    let numbers = column.array.as_primitive::<Float64Type>();
    let is_whole = |number: f64| number.fract() == 0.0 && number.abs() <= MAX_EXACT_INTEGER;
    let broken = (0..numbers.len()).filter(|row| numbers.is_valid(*row) && !is_whole(numbers.value(*row)));
    let broken: Vec<(usize, Error)> = broken.map(|row| (row, no_time(column))).collect();
    match broken.is_empty() {
        true => Ok(numbers.unary(|number| precision.to_millis(number as i64))),
        false => Err(Failure::Rows(broken)),
    }
}

/// Why values of this type are no times.
pub(crate) fn no_time(column: &Column) -> Error {
    let data_type = column.field.data_type();
    if schema::has_schema(&column.field) {
        let message = format!("Schema {} does not correspond to a known timestamp type format", schema_text(column));
        return Error::data(message).with_exception("org.apache.kafka.connect.errors.ConnectException");
    }
    let class = match data_type {
        DataType::Struct(_) => "java.util.HashMap",
        DataType::Utf8 => "java.util.ArrayList",
        other => class_of(other),
    };
    Error::data(format!("TimestampConverter does not support class {class} objects as timestamps"))
}

/// As Java shows a schema: by its name if it has one, and its type.
fn schema_text(column: &Column) -> String {
    let type_name = match column.field.data_type() {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "INT8",
        DataType::Int16 => "INT16",
        DataType::Int32 => "INT32",
        DataType::Float32 => "FLOAT32",
        DataType::Float64 => "FLOAT64",
        DataType::List(_) => "ARRAY",
        DataType::Map(..) => "MAP",
        DataType::Struct(_) => "STRUCT",
        _ => "BYTES",
    };
    let decimal = matches!(column.field.data_type(), DataType::Decimal128(..) | DataType::Decimal256(..));
    let name = column.field.metadata().get(schema::NAME).map(String::as_str).or(decimal.then_some(schema::DECIMAL));
    match name {
        Some(name) => format!("Schema{{{name}:{type_name}}}"),
        None => format!("Schema{{{type_name}}}"),
    }
}

/// Text by text: each has to be read.
fn parsed(column: &Column, format: Option<&DateFormat>) -> Outcome<Int64Array> {
    let texts = column.array.as_string::<i32>();
    let Some(format) = format else {
        let error =
            Error::data("`format` is needed to read times in text").with_exception("java.lang.NullPointerException");
        return Err(Failure::of_values(column, &error));
    };
    let mut failed = Vec::new();
    let read = texts.iter().enumerate().map(|(row, text)| {
        let millis = format.parse(text?);
        if millis.is_none() {
            failed.push(row);
        }
        millis
    });
    let read: Int64Array = read.collect();
    if failed.is_empty() {
        return Ok(read);
    }
    let error = |row| {
        let (text, pattern) = (texts.value(row), &format.pattern);
        Error::data(format!("Could not parse timestamp: value ({text}) does not match pattern ({pattern})"))
    };
    Err(Failure::Rows(failed.into_iter().map(|row| (row, error(row))).collect()))
}
