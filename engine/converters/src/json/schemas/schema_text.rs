//! Converts Arrow fields to Connect's JSON form of schemas.

use arrow::datatypes::{DataType, Field};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};
use volley_api::schema::{
    DATE, DECIMAL, DEFAULT, DOC, NAME, PARAMETER_ORDER, PARAMETER_PREFIX, TIME, TIMESTAMP, VERSION,
};
use volley_api::{Error, Result};

/// The schema of a field, for an envelope.
///
/// # Errors
/// A type that Connect does not have.
pub(crate) fn schema_of(field: &Field) -> Result<Value> {
    let mut schema = Map::new();
    let logical = put_type(&mut schema, field.data_type())?;
    schema.insert("optional".to_owned(), Value::Bool(field.is_nullable()));
    let metadata = field.metadata();
    let (name, version) = match logical {
        Some(name) => (Some(name.to_owned()), Some(1)),
        None => (metadata.get(NAME).cloned(), metadata.get(VERSION).and_then(|version| version.parse::<i64>().ok())),
    };
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            schema.insert(key.to_owned(), value);
        }
    };
    put("name", name.map(Value::String));
    put("version", version.map(Value::from));
    put("doc", metadata.get(DOC).map(|doc| Value::String(doc.clone())));
    put("parameters", parameters_of(field));
    put("default", metadata.get(DEFAULT).and_then(|default| serde_json::from_str(default).ok()));
    Ok(Value::Object(schema))
}

/// Adds the members that describe the type. Returns the name of the logical type, if it is one.
fn put_type(schema: &mut Map<String, Value>, data_type: &DataType) -> Result<Option<&'static str>> {
    let mut logical = None;
    let type_name = match data_type {
        DataType::Boolean => "boolean",
        DataType::Int8 => "int8",
        DataType::Int16 | DataType::UInt8 => "int16",
        DataType::Int32 | DataType::UInt16 => "int32",
        DataType::Int64 | DataType::UInt32 => "int64",
        DataType::Float16 | DataType::Float32 => "float",
        DataType::Float64 => "double",
        // Such a column has no values.
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => "string",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "bytes",
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => {
            logical = Some(DECIMAL);
            "bytes"
        }
        DataType::Date32 | DataType::Date64 => {
            logical = Some(DATE);
            "int32"
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            logical = Some(TIME);
            "int32"
        }
        DataType::Timestamp(..) => {
            logical = Some(TIMESTAMP);
            "int64"
        }
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => {
            schema.insert("type".to_owned(), json!("array"));
            schema.insert("items".to_owned(), schema_of(element)?);
            return Ok(None);
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(pair) = entries.data_type() else { return Err(no_connect_type(data_type)) };
            let [key, value] = pair.as_ref() else { return Err(no_connect_type(data_type)) };
            schema.insert("type".to_owned(), json!("map"));
            schema.insert("keys".to_owned(), schema_of(key)?);
            schema.insert("values".to_owned(), schema_of(value)?);
            return Ok(None);
        }
        DataType::Struct(fields) => {
            let members = fields.iter().map(|field| {
                let mut member = schema_of(field)?;
                member["field"] = Value::String(field.name().clone());
                Ok(member)
            });
            schema.insert("type".to_owned(), json!("struct"));
            schema.insert("fields".to_owned(), Value::Array(members.collect::<Result<_>>()?));
            return Ok(None);
        }
        DataType::Dictionary(_, values) => return put_type(schema, values),
        DataType::RunEndEncoded(_, values) => return put_type(schema, values.data_type()),
        other => return Err(no_connect_type(other)),
    };
    schema.insert("type".to_owned(), Value::String(type_name.to_owned()));
    Ok(logical)
}

/// The parameters of a schema, by name; a decimal's scale first.
fn parameters_of(field: &Field) -> Option<Value> {
    let mut parameters = Map::new();
    if let Some(scale) = scale_of(field.data_type()) {
        parameters.insert("scale".to_owned(), Value::String(scale.to_string()));
    }
    let mut given: Vec<_> =
        field.metadata().iter().filter_map(|(key, value)| Some((key.strip_prefix(PARAMETER_PREFIX)?, value))).collect();
    let order = field.metadata().get(PARAMETER_ORDER);
    let order: Vec<String> = order.and_then(|order| serde_json::from_str(order).ok()).unwrap_or_default();
    let order: FxHashMap<_, _> = order.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    // those that were added later stand behind the others, by name
    given.sort_by_key(|(name, _)| (order.get(name).copied().unwrap_or(usize::MAX), *name));
    for (name, value) in given {
        parameters.entry(name).or_insert_with(|| Value::String(value.clone()));
    }
    (!parameters.is_empty()).then_some(Value::Object(parameters))
}

/// Decimal places of a type that is written as Connect's Decimal.
pub(crate) fn scale_of(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::UInt64 => Some(0),
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => Some(*scale),
        DataType::Dictionary(_, values) => scale_of(values),
        _ => None,
    }
}

fn no_connect_type(data_type: &DataType) -> Error {
    Error::data(format!("type {data_type} has no Connect type: cast it to another before"))
}
