//! One value of a column as a [`Value`], for text and headers, which are made row by row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use volley_api::schema::{has_schema, is_json_text, timestamp_type};
use volley_api::{Error, Result, Value};

/// The value of `row`.
///
/// A struct without a Connect schema becomes a map, as in Connect. Its null fields are left out, since the inferred
/// schema does not distinguish absent from null.
///
/// # Errors
/// A type that neither exists in Connect nor can be cast to one that does.
pub(crate) fn value_at(field: &Field, array: &ArrayRef, row: usize) -> Result<Value> {
    read(array, row, has_schema(field))
}

fn read(array: &ArrayRef, row: usize, schema: bool) -> Result<Value> {
    if array.data_type() == &DataType::Null || array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => Value::Int8(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => Value::Int16(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => Value::Int32(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => Value::Int64(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Value::Float32(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Value::Float64(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Value::String(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Value::Bytes(array.as_binary::<i32>().value(row).to_vec()),
        DataType::Decimal128(_, scale) => Value::Decimal {
            unscaled: array.as_primitive::<Decimal128Type>().value(row).to_string(),
            scale: i32::from(*scale),
        },
        DataType::Decimal256(_, scale) => Value::Decimal {
            unscaled: array.as_primitive::<Decimal256Type>().value(row).to_string(),
            scale: i32::from(*scale),
        },
        DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time32(TimeUnit::Millisecond) => {
            Value::Time(array.as_primitive::<Time32MillisecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Value::Timestamp(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|item| read(&items, item, schema));
            Value::Array(items.collect::<Result<_>>()?)
        }
        DataType::Map(..) => map_at(array, row, schema)?,
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            if schema {
                let entries = columns.map(|(field, column)| Ok((field.name().clone(), read(column, row, true)?)));
                Value::Struct(entries.collect::<Result<_>>()?)
            } else {
                let present = columns.filter(|(_, column)| !column.is_null(row));
                let entries =
                    present.map(|(field, column)| Ok((Value::String(field.name().clone()), read(column, row, false)?)));
                Value::Map(entries.collect::<Result<_>>()?)
            }
        }
        other => read(&as_connect_type(&array.slice(row, 1), other)?, 0, schema)?,
    })
}

fn map_at(array: &ArrayRef, row: usize, schema: bool) -> Result<Value> {
    let map = array.as_map();
    let entries = map.value(row);
    let keys_and_values = (0..entries.len()).map(|entry| {
        let key = read(entries.column(0), entry, schema)?;
        Ok((key, read(entries.column(1), entry, schema)?))
    });
    Ok(Value::Map(keys_and_values.collect::<Result<_>>()?))
}

/// The array with Connect's type for `data_type`: wider for unsigned integers, milliseconds for times.
///
/// # Errors
/// Connect has no such type, or a value does not fit.
pub(crate) fn as_connect_type(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    let target = match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time32(TimeUnit::Millisecond),
        DataType::Timestamp(..) => timestamp_type(),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => DataType::List(Arc::clone(element)),
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::RunEndEncoded(_, values) => values.data_type().clone(),
        other => return Err(Error::data(format!("type {other} has no Connect type: cast it to another before"))),
    };
    Ok(cast(array, &target)?)
}

/// Whether the strings of a field are JSON text that represents the values.
pub(crate) fn holds_json(field: &Field, schema: bool) -> bool {
    !schema && is_json_text(field)
}
