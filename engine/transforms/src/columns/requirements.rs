//! What a transformation needs of a column, in Kafka Connect's words.

use arrow::array::{Array, AsArray, StructArray};
use arrow::datatypes::DataType;
use volley_api::{Column, Error, schema};
use volley_java::class_of;

use super::{Failure, Outcome};

/// The struct that the column is. Otherwise all rows that have a value fail.
pub(crate) fn require_struct<'a>(column: &'a Column, purpose: &str) -> Outcome<&'a StructArray> {
    match column.field.data_type() {
        DataType::Struct(_) => Ok(column.array.as_struct()),
        other => Err(Failure::of_values(column, &no_fields(column, purpose, class_of(other)))),
    }
}

/// The struct that the column is, without a null. Otherwise the nulls fail, or all rows.
pub(crate) fn require_values<'a>(column: &'a Column, purpose: &str) -> Outcome<&'a StructArray> {
    if column.array.logical_null_count() > 0 {
        return Err(Failure::of_nulls(column, &no_fields(column, purpose, "null")));
    }
    require_struct(column, purpose)
}

fn no_fields(column: &Column, purpose: &str, found: &str) -> Error {
    Error::data(match schema::has_schema(&column.field) {
        true => format!("Only Struct objects supported for [{purpose}], found: {found}"),
        false => format!("Only Map objects supported in absence of schema for [{purpose}], found: {found}"),
    })
}

/// What Kafka Connect has against a schema that cannot be.
pub(crate) fn schema_builder_error(message: String) -> Error {
    Error::data(message).with_exception("org.apache.kafka.connect.errors.SchemaBuilderException")
}

/// Every row fails, also those with a null.
pub(crate) fn all_rows(column: &Column, error: &Error) -> Failure {
    Failure::Rows((0..column.len()).map(|row| (row, error.clone())).collect())
}
