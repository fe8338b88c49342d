//! One value of a column, for headers, which are kept row by row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, TimeUnit, TimestampMillisecondType,
};
use volley_api::{Column, Error, Result, Value, schema};
use volley_java::sort_in_hash_order;

use super::as_connect;

/// The value of `row`. A struct without a schema is a map without its null fields, in the order of Java's.
///
/// # Errors
/// A type that does not exist in Connect.
pub(crate) fn value_at(field: &Field, array: &ArrayRef, row: usize, has_schema: bool) -> Result<Value> {
    if field.data_type() == &DataType::Null || array.is_null(row) {
        return Ok(Value::Null);
    }
    Ok(match field.data_type() {
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Int8 => Value::Int8(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => Value::Int16(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => Value::Int32(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => Value::Int64(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Value::Float32(array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => Value::Float64(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 if !has_schema && schema::is_json_text(field) => json_value(array.as_string::<i32>().value(row)),
        DataType::Utf8 => Value::String(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Value::Bytes(array.as_binary::<i32>().value(row).to_vec()),
        DataType::Decimal128(_, scale) => {
            decimal(array.as_primitive::<Decimal128Type>().value(row).to_string(), *scale)
        }
        DataType::Decimal256(_, scale) => {
            decimal(array.as_primitive::<Decimal256Type>().value(row).to_string(), *scale)
        }
        DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Time32(TimeUnit::Millisecond) => {
            Value::Time(array.as_primitive::<Time32MillisecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Value::Timestamp(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        DataType::List(item) => {
            let items = array.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|row| value_at(item, &items, row, has_schema));
            Value::Array(items.collect::<Result<_>>()?)
        }
        DataType::Map(entries, _) => map(entries, array, row, has_schema)?,
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let members =
                members.map(|(field, column)| Ok((field.name().clone(), value_at(field, column, row, has_schema)?)));
            let members = members.collect::<Result<Vec<_>>>()?;
            match has_schema {
                true => Value::Struct(members),
                false => {
                    let mut present: Vec<_> = members.into_iter().filter(|(_, value)| *value != Value::Null).collect();
                    sort_in_hash_order(&mut present, |(name, _)| name);
                    Value::Map(present.into_iter().map(|(name, value)| (Value::String(name), value)).collect())
                }
            }
        }
        other => {
            let column = as_connect(&Column::new(Arc::new(field.clone()), array.slice(row, 1)))?;
            if column.field.data_type() == other {
                return Err(Error::data(format!("type {other} has no Connect type: cast it to another before")));
            }
            value_at(&column.field, &column.array, 0, has_schema)?
        }
    })
}

fn decimal(unscaled: String, scale: i8) -> Value {
    Value::Decimal { unscaled, scale: i32::from(scale) }
}

fn map(entries: &Field, array: &ArrayRef, row: usize, has_schema: bool) -> Result<Value> {
    let DataType::Struct(fields) = entries.data_type() else { return Ok(Value::Null) };
    let pairs = array.as_map().value(row);
    let pairs = (0..pairs.len()).map(|entry| {
        let key = value_at(&fields[0], pairs.column(0), entry, has_schema)?;
        Ok((key, value_at(&fields[1], pairs.column(1), entry, has_schema)?))
    });
    Ok(Value::Map(pairs.collect::<Result<_>>()?))
}

/// What a JSON text stands for.
fn json_value(text: &str) -> Value {
    fn value(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Boolean(flag),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int64(whole),
                None => Value::Float64(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::String(text),
            serde_json::Value::Array(items) => Value::Array(items.into_iter().map(value).collect()),
            serde_json::Value::Object(members) => {
                Value::Map(members.into_iter().map(|(name, member)| (Value::String(name), value(member))).collect())
            }
        }
    }
    serde_json::from_str(text).map_or_else(|_| Value::String(text.to_owned()), value)
}
