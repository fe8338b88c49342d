//! The values of headers as columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal256Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, ListArray, MapArray, StringArray, StructArray, Time32MillisecondArray,
    TimestampMillisecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit, i256};
use volley_api::{Error, Result, Value, schema};

/// The type of a header. Lists and maps must have values of one type.
///
/// # Errors
/// What Java has against a header without a schema.
pub(super) fn type_of(field: &str, value: &Value) -> Result<DataType> {
    Ok(match value {
        Value::Null => {
            return Err(crate::columns::schema_builder_error(format!("fieldSchema for field {field} cannot be null.")));
        }
        Value::Boolean(_) => DataType::Boolean,
        Value::Int8(_) => DataType::Int8,
        Value::Int16(_) => DataType::Int16,
        Value::Int32(_) => DataType::Int32,
        Value::Int64(_) => DataType::Int64,
        Value::Float32(_) => DataType::Float32,
        Value::Float64(_) => DataType::Float64,
        Value::String(_) => DataType::Utf8,
        Value::Bytes(_) => DataType::Binary,
        Value::Decimal { unscaled, scale } => decimal_type(unscaled, *scale)?,
        Value::Date(_) => DataType::Date32,
        Value::Time(_) => DataType::Time32(TimeUnit::Millisecond),
        Value::Timestamp(_) => schema::timestamp_type(),
        Value::Array(items) => DataType::List(member("item", field, "element of array", items.iter())?),
        Value::Map(entries) => {
            let keys = member("key", field, "key of map", entries.iter().map(|(key, _)| key))?;
            let values = member("value", field, "value of map", entries.iter().map(|(_, value)| value))?;
            let fields = Fields::from(vec![keys, values]);
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
        }
        Value::Struct(members) => {
            let member = |(name, value): &(String, Value)| {
                let data_type = if *value == Value::Null { DataType::Utf8 } else { type_of(name, value)? };
                Ok(Arc::new(Field::new(name, data_type, true)))
            };
            DataType::Struct(members.iter().map(member).collect::<Result<Vec<_>>>()?.into())
        }
    })
}

fn decimal_type(unscaled: &str, scale: i32) -> Result<DataType> {
    let too_big = || Error::data(format!("a decimal of {} digits and scale {scale} is too big", unscaled.len()));
    let scale = i8::try_from(scale).map_err(|_| too_big())?;
    match unscaled.trim_start_matches('-').len() {
        0..=38 if scale <= 38 => Ok(DataType::Decimal128(38, scale)),
        0..=76 if scale <= 76 => Ok(DataType::Decimal256(76, scale)),
        _ => Err(too_big()),
    }
}

/// The field of what is in a list or a map.
fn member<'a>(name: &str, field: &str, what: &str, mut values: impl Iterator<Item = &'a Value>) -> Result<FieldRef> {
    let none = || Error::data(format!("No schema defined for {what} field: \"{field}\""));
    let first = values.next().filter(|value| **value != Value::Null).ok_or_else(none)?;
    let data_type = type_of(field, first)?;
    for value in values {
        if *value == Value::Null || type_of(field, value)? != data_type {
            return Err(none());
        }
    }
    Ok(Arc::new(Field::new(name, data_type, false)))
}

macro_rules! primitive {
    ($array:ident, $variant:ident, $values:expr) => {{
        let array: $array = $values
            .iter()
            .map(|value| match value {
                Value::$variant(value) => Some(*value),
                _ => None,
            })
            .collect();
        Arc::new(array)
    }};
}

/// The values, all of one type, as an array.
pub(super) fn array_of_values(data_type: &DataType, values: &[&Value]) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::Boolean => primitive!(BooleanArray, Boolean, values),
        DataType::Int8 => primitive!(Int8Array, Int8, values),
        DataType::Int16 => primitive!(Int16Array, Int16, values),
        DataType::Int32 => primitive!(Int32Array, Int32, values),
        DataType::Int64 => primitive!(Int64Array, Int64, values),
        DataType::Float32 => primitive!(Float32Array, Float32, values),
        DataType::Float64 => primitive!(Float64Array, Float64, values),
        DataType::Date32 => primitive!(Date32Array, Date, values),
        DataType::Time32(_) => primitive!(Time32MillisecondArray, Time, values),
        DataType::Timestamp(_, zone) => {
            let times = values.iter().map(|value| if let Value::Timestamp(time) = value { Some(*time) } else { None });
            Arc::new(times.collect::<TimestampMillisecondArray>().with_timezone_opt(zone.clone()))
        }
        DataType::Utf8 => {
            let texts = values.iter().map(|value| if let Value::String(text) = value { Some(text) } else { None });
            Arc::new(texts.collect::<StringArray>())
        }
        DataType::Binary => {
            let bytes = values.iter().map(|value| if let Value::Bytes(bytes) = value { Some(bytes) } else { None });
            Arc::new(bytes.collect::<BinaryArray>())
        }
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            let number = |value: &&Value| match value {
                Value::Decimal { unscaled, .. } => i256::from_string(unscaled),
                _ => None,
            };
            let numbers: Decimal256Array = values.iter().map(number).collect();
            cast(&numbers.with_precision_and_scale(76, *scale)?, data_type)?
        }
        DataType::List(item) => {
            let lists: Vec<&[Value]> =
                values.iter().map(|value| if let Value::Array(items) = value { &items[..] } else { &[] }).collect();
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|items| items.len()));
            let items: Vec<&Value> = lists.into_iter().flatten().collect();
            let items = array_of_values(item.data_type(), &items)?;
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, None)?)
        }
        DataType::Map(entries, _) => map(entries, values)?,
        DataType::Struct(fields) => {
            let column = |(place, field): (usize, &FieldRef)| {
                let member = |value: &&Value| match value {
                    Value::Struct(members) => members.get(place).map(|(_, value)| value.clone()),
                    _ => None,
                };
                let members: Vec<Value> = values.iter().map(|value| member(value).unwrap_or(Value::Null)).collect();
                array_of_values(field.data_type(), &members.iter().collect::<Vec<_>>())
            };
            let columns = fields.iter().enumerate().map(column).collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, values.len())?)
        }
        other => return Err(Error::data(format!("a header cannot be of type {other}"))),
    })
}

fn map(entries: &FieldRef, values: &[&Value]) -> Result<ArrayRef> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(Error::data("a map has entries"));
    };
    let maps: Vec<&[(Value, Value)]> =
        values.iter().map(|value| if let Value::Map(entries) = value { &entries[..] } else { &[] }).collect();
    let offsets = OffsetBuffer::from_lengths(maps.iter().map(|entries| entries.len()));
    let (keys, items): (Vec<&Value>, Vec<&Value>) = maps.into_iter().flatten().map(|(key, value)| (key, value)).unzip();
    let columns = vec![array_of_values(fields[0].data_type(), &keys)?, array_of_values(fields[1].data_type(), &items)?];
    let structs = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, structs, None, false)?))
}
