//! The envelope of a change event.

use std::sync::Arc;

use arrow::array::{Array, StructArray};
use arrow::datatypes::{DataType, Field};
use volley_api::{Column, Error, Result, schema};
use volley_java::class_of;

use crate::columns::{child_values, defaulted};

/// Whether values of this field are change events.
pub(super) fn is_envelope(field: &Field) -> bool {
    schema::has_schema(field) && field.metadata().get(schema::NAME).is_some_and(|name| name.ends_with(".Envelope"))
}

/// A field of structs as a column of its own, null where the struct is; `None` if there is none.
pub(super) fn member(structs: &StructArray, name: &str, replaces_null: bool) -> Result<Option<Column>> {
    let Some((place, field)) = structs.fields().find(name) else { return Ok(None) };
    let values = structs.column(place);
    let values = if replaces_null { defaulted(field, values)? } else { Arc::clone(values) };
    let field = Arc::new(Field::clone(field).with_nullable(true));
    Ok(Some(Column::new(field, child_values(structs, &values)?)))
}

/// A text field of structs, or what Java has against it.
pub(super) fn text_member(structs: &StructArray, name: &str) -> Result<std::result::Result<Column, Error>> {
    Ok(match member(structs, name, false)? {
        None => Err(no_such_field(name)),
        Some(column) if column.field.data_type() != &DataType::Utf8 => Err(wrong_type(name, "STRING")),
        Some(column) => Ok(column),
    })
}

pub(super) fn no_such_field(name: &str) -> Error {
    Error::data(format!("{name} is not a valid field name"))
}

pub(super) fn wrong_type(name: &str, wanted: &str) -> Error {
    Error::data(format!("Field '{name}' is not of type {wanted}"))
}

/// An error in the configuration, under the class that Debezium has for it.
pub(super) fn refused(error: Error) -> Error {
    error.with_exception("org.apache.kafka.connect.errors.ConnectException")
}

/// The error of an extraction from a struct without the field.
pub(super) fn unknown_field(name: &str) -> Error {
    Error::data(format!("Unknown field: {name}")).with_exception("java.lang.IllegalArgumentException")
}

pub(super) fn no_struct(column: &Column, purpose: &str) -> Error {
    let found = class_of(column.array.data_type());
    Error::data(format!("Only Struct objects supported for [{purpose}], found: {found}"))
}

/// The same error under the class that Java has for what is of another class than it takes for granted.
pub(super) fn class_cast(error: Error) -> Error {
    error.with_exception("java.lang.ClassCastException")
}

/// The error of what Java finds null where it takes a value for granted.
pub(super) fn null_pointer(message: String) -> Error {
    Error::data(message).with_exception("java.lang.NullPointerException")
}
