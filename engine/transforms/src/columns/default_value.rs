//! The default of a field, which its metadata hold as JSON, as a value of one row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Decimal256Array, Float32Array, Float64Array, Int32Array,
    Int64Array, ListArray, MapArray, Scalar, StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit, TimestampMillisecondType, i256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use volley_api::{Column, Result, schema};

use super::typed_parts::json_texts;

/// The default; `None` if the field has none, or one that is not of its type.
pub(crate) fn default_value(field: &Field) -> Option<Scalar<ArrayRef>> {
    let default: Value = serde_json::from_str(field.metadata().get(schema::DEFAULT)?).ok()?;
    if default.is_null() {
        return None;
    }
    let array = array_of(field, &[&default])?;
    (array.data_type() == field.data_type()).then(|| Scalar::new(array))
}

/// The first value of a column as the JSON that the metadata of a field hold its default in; `None` for a null.
pub(crate) fn default_text(column: &Column) -> Result<Option<String>> {
    let texts = json_texts(&column.slice(0, 1))?;
    let texts = texts.as_string::<i32>();
    Ok(texts.is_valid(0).then(|| texts.value(0).to_owned()))
}

/// The values, as JsonConverter writes them, as an array of the field's type. `None` if one does not fit.
pub(crate) fn array_of(field: &Field, values: &[&Value]) -> Option<ArrayRef> {
    let array: ArrayRef = match field.data_type() {
        DataType::Boolean => Arc::new(each(values, Value::as_bool)?.collect::<BooleanArray>()),
        data_type @ (DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64) => {
            let numbers: Int64Array = each(values, Value::as_i64)?.collect();
            let narrow = cast(&numbers, data_type).ok()?;
            if narrow.null_count() != numbers.null_count() {
                return None;
            }
            narrow
        }
        DataType::Float32 => Arc::new(
            each(values, Value::as_f64)?.map(|value| value.map(|value| value as f32)).collect::<Float32Array>(),
        ),
        DataType::Float64 => Arc::new(each(values, Value::as_f64)?.collect::<Float64Array>()),
        DataType::Utf8 => Arc::new(each(values, |value| value.as_str().map(str::to_owned))?.collect::<StringArray>()),
        DataType::Binary => Arc::new(BinaryArray::from_iter(each(values, bytes)?)),
        DataType::Date32 => cast(&each(values, int32)?.collect::<Int32Array>(), &DataType::Date32).ok()?,
        DataType::Time32(TimeUnit::Millisecond) => {
            cast(&each(values, int32)?.collect::<Int32Array>(), field.data_type()).ok()?
        }
        DataType::Timestamp(TimeUnit::Millisecond, zone) => {
            let numbers: Int64Array = each(values, Value::as_i64)?.collect();
            Arc::new(numbers.reinterpret_cast::<TimestampMillisecondType>().with_timezone_opt(zone.clone()))
        }
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
            let unscaled: Decimal256Array = each(values, |value| unscaled(value, *scale))?.collect();
            cast(&unscaled.with_precision_and_scale(76, *scale).ok()?, field.data_type()).ok()?
        }
        DataType::List(item) => list(item, values)?,
        DataType::Map(entries, _) => map(entries, values)?,
        DataType::Struct(fields) => {
            let nulls = values.iter().map(|value| !value.is_null()).collect();
            let column = |field: &Arc<Field>| {
                array_of(
                    field,
                    &values.iter().map(|value| value.get(field.name()).unwrap_or(&Value::Null)).collect::<Vec<_>>(),
                )
            };
            let columns = fields.iter().map(column).collect::<Option<Vec<_>>>()?;
            let structs = StructArray::try_new_with_length(fields.clone(), columns, Some(nulls), values.len());
            Arc::new(structs.ok()?)
        }
        _ => return None,
    };
    Some(array)
}

/// Each value read, null where it is null; `None` if one cannot be.
fn each<T>(values: &[&Value], read: impl Fn(&Value) -> Option<T>) -> Option<std::vec::IntoIter<Option<T>>> {
    let read = values.iter().map(|value| if value.is_null() { Some(None) } else { read(value).map(Some) });
    read.collect::<Option<Vec<_>>>().map(Vec::into_iter)
}

fn int32(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(value.as_str()?).ok()
}

/// The unscaled number of a decimal: base64 of its bytes, big-endian, or a number.
fn unscaled(value: &Value, scale: i8) -> Option<i256> {
    if let Value::Number(number) = value {
        return arrow::compute::kernels::cast_utils::parse_decimal::<arrow::datatypes::Decimal256Type>(
            &number.to_string(),
            76,
            scale,
        )
        .ok();
    }
    let bytes = bytes(value)?;
    let sign = if bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [sign; 32];
    wide.get_mut(32usize.checked_sub(bytes.len())?..)?.copy_from_slice(&bytes);
    Some(i256::from_be_bytes(wide))
}

fn list(item: &Arc<Field>, values: &[&Value]) -> Option<ArrayRef> {
    let lists = each(values, |value| value.as_array().cloned())?;
    let lists: Vec<_> = lists.map(Option::unwrap_or_default).collect();
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(Vec::len));
    let items = array_of(item, &lists.iter().flatten().collect::<Vec<_>>())?;
    let nulls = values.iter().map(|value| !value.is_null()).collect();
    Some(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, Some(nulls)).ok()?))
}

/// An object where the keys are texts, else an array of pairs.
fn map(entries: &Arc<Field>, values: &[&Value]) -> Option<ArrayRef> {
    let DataType::Struct(fields) = entries.data_type() else { return None };
    let pairs = each(values, |value| match value {
        Value::Object(members) => {
            Some(members.iter().map(|(key, value)| (Value::from(key.as_str()), value.clone())).collect::<Vec<_>>())
        }
        Value::Array(pairs) => {
            pairs.iter().map(|pair| Some((pair.get(0)?.clone(), pair.get(1)?.clone()))).collect::<Option<Vec<_>>>()
        }
        _ => None,
    })?;
    let pairs: Vec<_> = pairs.map(Option::unwrap_or_default).collect();
    let offsets = OffsetBuffer::from_lengths(pairs.iter().map(Vec::len));
    let keys = array_of(fields.first()?, &pairs.iter().flatten().map(|(key, _)| key).collect::<Vec<_>>())?;
    let items = array_of(fields.get(1)?, &pairs.iter().flatten().map(|(_, item)| item).collect::<Vec<_>>())?;
    let structs = StructArray::try_new(fields.clone(), vec![keys, items], None).ok()?;
    let nulls = values.iter().map(|value| !value.is_null()).collect();
    Some(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, structs, Some(nulls), false).ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::Datum;
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn shown(data_type: DataType, default: &str) -> Option<String> {
        let metadata = HashMap::from([(schema::DEFAULT.to_owned(), default.to_owned())]);
        let field = Field::new("f", data_type, true).with_metadata(metadata);
        default_value(&field).map(|scalar| array_value_to_string(scalar.get().0, 0).unwrap())
    }

    #[test]
    fn defaults_of_all_types_are_read_as_jsonconverter_writes_them() {
        let item = |data_type| Arc::new(Field::new("item", data_type, true));
        let entries = Field::new(
            "entries",
            DataType::Struct(
                vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Int64, true)].into(),
            ),
            false,
        );
        for (data_type, default, expected) in [
            (DataType::Boolean, "true", "true"),
            (DataType::Int8, "-3", "-3"),
            (DataType::Int64, "9007199254740993", "9007199254740993"),
            (DataType::Float32, "1.5", "1.5"),
            (DataType::Float64, "2", "2.0"),
            (DataType::Utf8, "\"abc\"", "abc"),
            (DataType::Binary, "\"AQI=\"", "0102"),
            (DataType::Date32, "1", "1970-01-02"),
            (DataType::Time32(TimeUnit::Millisecond), "1000", "00:00:01"),
            (schema::timestamp_type(), "0", "1970-01-01T00:00:00Z"),
            (DataType::Decimal128(38, 2), "\"AQ==\"", "0.01"),
            (DataType::Decimal128(38, 2), "\"/w==\"", "-0.01"),
            (DataType::Decimal256(76, 1), "1.5", "1.5"),
            (DataType::List(item(DataType::Int32)), "[1,null]", "[1, ]"),
            (DataType::Struct(vec![Field::new("a", DataType::Int32, true)].into()), "{\"a\":7}", "{a: 7}"),
            (DataType::Map(Arc::new(entries), false), "{\"k\":7}", "{k: 7}"),
        ] {
            assert_eq!(shown(data_type.clone(), default).as_deref(), Some(expected), "{data_type} {default}");
        }
    }

    #[test]
    fn what_does_not_fit_is_no_default() {
        assert_eq!(shown(DataType::Int8, "300"), None);
        assert_eq!(shown(DataType::Int64, "\"x\""), None);
        assert_eq!(shown(DataType::Utf8, "null"), None);
        assert_eq!(shown(DataType::Utf8, "{"), None);
        assert_eq!(shown(DataType::Binary, "\"%\""), None);
    }
}
