//! The headers of records as a column of maps.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, MapArray, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use volley_api::{Column, ConfigMap, Error, Header, HeaderConverter, Records, Result, Value};
use volley_converters::SimpleHeaderConverter;

/// The headers of each record, by name: of several of one name, the last. If all values are texts, bytes, integers, other
/// numbers or booleans, they stay so; else they are texts. No type at all where no record has any.
pub(super) fn headers_map(records: &Records) -> Result<Column> {
    let of_row = |row: usize| -> BTreeMap<&str, &Header> {
        let headers = records.headers.as_ref().map_or(&[][..], |headers| &headers[row]);
        headers.iter().map(|header| (&*header.name, header)).collect()
    };
    let rows: Vec<_> = (0..records.len()).map(of_row).collect();
    let headers: Vec<_> = rows.iter().flat_map(BTreeMap::values).copied().collect();
    let Some(data_type) = common_type(&headers) else { return Ok(Column::nulls(records.len())) };
    let values = values_of(&headers, &data_type, &records.topic)?;
    let names = StringArray::from_iter_values(headers.iter().map(|header| &*header.name));
    let fields = Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", data_type, true)]);
    let entries = StructArray::try_new(fields, vec![Arc::new(names), values], None)?;
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let lengths = OffsetBuffer::from_lengths(rows.iter().map(BTreeMap::len));
    let array: ArrayRef = Arc::new(MapArray::try_new(field, lengths, entries, None, false)?);
    Ok(Column::new(Arc::new(Field::new("headers", array.data_type().clone(), true)), array))
}

/// The type of all values; `None`: there are none.
fn common_type(headers: &[&Header]) -> Option<DataType> {
    let mut types = headers.iter().filter_map(|header| match &header.value {
        Value::Null => None,
        Value::Boolean(_) => Some(DataType::Boolean),
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => Some(DataType::Int64),
        Value::Float32(_) | Value::Float64(_) => Some(DataType::Float64),
        Value::Bytes(_) => Some(DataType::Binary),
        _ => Some(DataType::Utf8),
    });
    let Some(first) = types.next() else { return (!headers.is_empty()).then_some(DataType::Utf8) };
    Some(if types.all(|other| other == first) { first } else { DataType::Utf8 })
}

fn values_of(headers: &[&Header], data_type: &DataType, topic: &str) -> Result<ArrayRef> {
    let values = headers.iter().map(|header| &header.value);
    Ok(match data_type {
        DataType::Boolean => {
            let flag = |value: &Value| if let Value::Boolean(flag) = value { Some(*flag) } else { None };
            Arc::new(values.map(flag).collect::<BooleanArray>())
        }
        DataType::Int64 => Arc::new(values.map(integer).collect::<Int64Array>()),
        DataType::Float64 => Arc::new(values.map(number).collect::<Float64Array>()),
        DataType::Binary => Arc::new(values.map(bytes).collect::<BinaryArray>()),
        _ => {
            let mut converter = SimpleHeaderConverter::new(&ConfigMap::new())?;
            let texts = headers.iter().map(|header| text(header, topic, &mut converter));
            Arc::new(texts.collect::<Result<StringArray>>()?)
        }
    })
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int8(number) => Some(i64::from(*number)),
        Value::Int16(number) => Some(i64::from(*number)),
        Value::Int32(number) => Some(i64::from(*number)),
        Value::Int64(number) => Some(*number),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float32(number) => Some(f64::from(*number)),
        Value::Float64(number) => Some(*number),
        _ => None,
    }
}

fn text(header: &Header, topic: &str, converter: &mut SimpleHeaderConverter) -> Result<Option<String>> {
    if let Some(text) = &header.text {
        return Ok(Some(text.to_string()));
    }
    let written = converter.from_connect(topic, header)?.value;
    let read =
        |bytes| String::from_utf8(bytes).map_err(|error| Error::data(format!("header `{}`: {error}", header.name)));
    written.map(read).transpose()
}
