//! Values of documents as arrays of the field that they have in common.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, StringArray, StructArray,
    TimestampMillisecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field};
use volley_api::{Error, Result};

use super::bson::Bson;
use super::document_schema::element_name;

/// The values as an array of the field's type, null where a value is of another.
pub(super) fn array_of(field: &Field, values: &[Option<&Bson>]) -> Result<ArrayRef> {
    macro_rules! each {
        ($array:ty, $pattern:pat => $value:expr) => {
            values
                .iter()
                .map(|value| match value {
                    Some($pattern) => Some($value),
                    _ => None,
                })
                .collect::<$array>()
        };
    }
    Ok(match field.data_type() {
        DataType::Utf8 => Arc::new(each!(StringArray, Bson::Text(_, text) => text.as_str())),
        DataType::Boolean => Arc::new(each!(BooleanArray, Bson::Flag(flag) => *flag)),
        DataType::Int32 => Arc::new(each!(Int32Array, Bson::Int32(number) => *number)),
        DataType::Int64 => Arc::new(each!(Int64Array, Bson::Int64(number) => *number)),
        DataType::Float64 => Arc::new(each!(Float64Array, Bson::Double(number) => *number)),
        DataType::Binary => Arc::new(each!(BinaryArray, Bson::Bytes(bytes) => bytes.as_slice())),
        DataType::Timestamp(..) => {
            Arc::new(each!(TimestampMillisecondArray, Bson::Time(_, millis) => *millis).with_timezone("UTC"))
        }
        DataType::List(item) => {
            let offsets =
                OffsetBuffer::from_lengths(values.iter().map(|value| items_of(*value).map_or(0, <[Bson]>::len)));
            let nulls: NullBuffer = values.iter().map(|value| items_of(*value).is_some()).collect::<Vec<_>>().into();
            let all: Vec<Option<&Bson>> =
                values.iter().filter_map(|value| items_of(*value)).flatten().map(Some).collect();
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, array_of(item, &all)?, Some(nulls))?)
        }
        DataType::Struct(fields) => {
            let is_object =
                |value: &Option<&Bson>| matches!(value, Some(Bson::Document(_) | Bson::Array(_) | Bson::Regex { .. }));
            let nulls: NullBuffer = values.iter().map(is_object).collect::<Vec<_>>().into();
            let regexes = Regexes::of(values);
            let columns = fields.iter().map(|field| {
                let members: Vec<Option<&Bson>> = values
                    .iter()
                    .enumerate()
                    .map(|(row, value)| member((*value)?, field.name(), &regexes, row))
                    .collect();
                array_of(field, &members)
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, Some(nulls), values.len())?)
        }
        other => return Err(Error::fatal(format!("documents have no values of type {other}"))),
    })
}

fn items_of(value: Option<&Bson>) -> Option<&[Bson]> {
    match value {
        Some(Bson::Array(items)) => Some(items),
        _ => None,
    }
}

/// The two texts of each expression, which documents have as one value.
struct Regexes(Vec<Option<(Bson, Bson)>>);

impl Regexes {
    fn of(values: &[Option<&Bson>]) -> Self {
        let text = |text: &str| Bson::Text(super::bson::Kind::String, text.to_owned());
        let of_row = |value: &Option<&Bson>| match value {
            Some(Bson::Regex { pattern, options }) => Some((text(pattern), text(options))),
            _ => None,
        };
        Self(values.iter().map(of_row).collect())
    }
}

fn member<'a>(value: &'a Bson, name: &str, regexes: &'a Regexes, row: usize) -> Option<&'a Bson> {
    match value {
        Bson::Document(members) => members.iter().rfind(|(known, _)| known == name).map(|(_, member)| member),
        Bson::Array(items) => {
            items.iter().enumerate().find(|(place, _)| element_name(*place) == name).map(|(_, item)| item)
        }
        Bson::Regex { .. } => {
            let (pattern, options) = regexes.0[row].as_ref()?;
            Some(if name == "regex" { pattern } else { options })
        }
        _ => None,
    }
}
