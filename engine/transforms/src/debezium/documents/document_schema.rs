//! The schemas of documents.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use volley_api::{Error, Result, schema};

use super::bson::Bson;

const REGEX: &str = "io.debezium.mongodb.regex";

/// How lists are written: as lists, whose elements must be of one type, or as structs with a field for each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ArrayEncoding {
    Array,
    Document,
}

/// The name of the field that an element becomes.
pub(super) fn element_name(place: usize) -> String {
    format!("_{place}")
}

/// The fields of a document. `path` is the name of its schema, which those within begin with.
///
/// # Errors
/// `Data` for a document that has no schema.
pub(super) fn fields(members: &[(String, Bson)], path: &str, encoding: ArrayEncoding) -> Result<Vec<FieldRef>> {
    let fields = members.iter().filter(|(_, value)| *value != Bson::Undefined).map(|(name, value)| {
        if name.is_empty() {
            return Err(crate::columns::schema_builder_error("fieldName cannot be null.".to_owned()));
        }
        Ok(Arc::new(typed_field(name, value, path, encoding)?))
    });
    fields.collect()
}

/// The field of a value; every field is optional.
///
/// # Errors
/// `Data` for a value that has no schema.
pub(super) fn typed_field(name: &str, value: &Bson, path: &str, encoding: ArrayEncoding) -> Result<Field> {
    let within = format!("{path}.{name}");
    let (data_type, schema_name) = match value {
        Bson::Document(members) => {
            let schema_name = (!members.is_empty()).then(|| within.clone());
            (DataType::Struct(fields(members, &within, encoding)?.into()), schema_name)
        }
        Bson::Array(items) if encoding == ArrayEncoding::Document => {
            let members: Vec<(String, Bson)> =
                items.iter().enumerate().map(|(place, item)| (element_name(place), item.clone())).collect();
            (DataType::Struct(fields(&members, &within, encoding)?.into()), Some(within))
        }
        Bson::Array(items) => (DataType::List(Arc::new(item_field(items, name, path)?)), None),
        Bson::Regex { .. } => {
            let text = |name| Field::new(name, DataType::Utf8, true);
            (DataType::Struct(vec![text("regex"), text("options")].into()), Some(REGEX.to_owned()))
        }
        Bson::Null | Bson::Text(..) | Bson::Undefined => (DataType::Utf8, None),
        Bson::Flag(_) => (DataType::Boolean, None),
        Bson::Int32(_) => (DataType::Int32, None),
        Bson::Int64(_) => (DataType::Int64, None),
        Bson::Double(_) => (DataType::Float64, None),
        Bson::Bytes(_) => (DataType::Binary, None),
        Bson::Time(..) => (schema::timestamp_type(), None),
        Bson::Unsupported => return Err(Error::data(format!("{name} is not a valid field name"))),
    };
    let metadata = schema_name.map(|schema_name| (schema::NAME.to_owned(), schema_name)).into_iter().collect();
    Ok(Field::new(name, data_type, true).with_metadata(metadata))
}

/// The field of the elements of a list, in which documents may have other fields than those before.
fn item_field(items: &[Bson], name: &str, path: &str) -> Result<Field> {
    let Some(first) = items.first() else { return Ok(Field::new("item", DataType::Utf8, true)) };
    if items.iter().any(|item| !item.is_like(first)) {
        return Err(different_types(name));
    }
    let mut joined: Option<Field> = None;
    for item in items {
        let field = typed_field(name, item, path, ArrayEncoding::Array)?;
        joined = Some(match joined {
            None => field,
            Some(known) => merged(&known, &field).ok_or_else(|| different_types(name))?,
        });
    }
    Ok(joined.map_or_else(|| Field::new("item", DataType::Utf8, true), |field| field.with_name("item")))
}

fn different_types(name: &str) -> Error {
    let message = format!(
        "the elements of the list `{name}` have several types, which a list with a schema cannot have: see `array.encoding`"
    );
    Error::data(message).with_exception("io.debezium.DebeziumException")
}

/// One field for the values of both; `None` if there is none. Fields of structs are in the order in which they come first.
fn merged(one: &Field, other: &Field) -> Option<Field> {
    let data_type = match (one.data_type(), other.data_type()) {
        (DataType::Struct(known), DataType::Struct(more)) => {
            let mut fields: Vec<FieldRef> = known.iter().cloned().collect();
            for field in more {
                match fields.iter_mut().find(|known| known.name() == field.name()) {
                    Some(known) => *known = Arc::new(merged(known, field)?),
                    None => fields.push(Arc::clone(field)),
                }
            }
            DataType::Struct(fields.into())
        }
        (DataType::List(known), DataType::List(more)) => DataType::List(Arc::new(merged_items(known, more)?)),
        (known, more) if known == more => known.clone(),
        _ => return None,
    };
    let metadata = if one.metadata().is_empty() { other.metadata() } else { one.metadata() };
    Some(Field::new(one.name(), data_type, true).with_metadata(metadata.clone()))
}

/// The elements of an empty list are texts by default, and give way to others.
fn merged_items(known: &Field, more: &Field) -> Option<Field> {
    match (known.data_type(), more.data_type()) {
        (DataType::Utf8, _) => Some(more.clone()),
        (_, DataType::Utf8) => Some(known.clone()),
        _ => merged(known, more),
    }
}
