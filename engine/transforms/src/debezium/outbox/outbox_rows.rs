//! The rows of the outbox as columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StructArray};
use arrow::datatypes::{DataType, Int32Type};
use volley_api::{Column, Error, Result};

use crate::columns::{child_values, defaulted};
use crate::debezium::envelope::{no_such_field, wrong_type};

/// A column of the outbox, nulls replaced by its default; or what Java has against it.
pub(super) fn outbox_column(rows: &StructArray, name: &str) -> Result<std::result::Result<Column, Error>> {
    let Some((place, field)) = rows.fields().find(name) else { return Ok(Err(no_such_field(name))) };
    let values = child_values(rows, &defaulted(field, rows.column(place))?)?;
    let is_optional = field.is_nullable() || rows.null_count() > 0;
    Ok(Ok(Column::new(Arc::new(field.as_ref().clone().with_nullable(is_optional)), values)))
}

/// The values of a column of a type, as they are.
pub(super) fn typed_column(
    rows: &StructArray,
    name: &str,
    data_type: &DataType,
    java_name: &str,
) -> Result<std::result::Result<ArrayRef, Error>> {
    Ok(match rows.fields().find(name) {
        None => Err(no_such_field(name)),
        Some((_, field)) if field.data_type() != data_type => Err(wrong_type(name, java_name)),
        Some((place, _)) => Ok(child_values(rows, rows.column(place))?),
    })
}

/// An INT32 column.
pub(super) fn int32_column(rows: &StructArray, name: &str) -> Result<std::result::Result<Int32Array, Error>> {
    let column = typed_column(rows, name, &DataType::Int32, "INT32")?;
    Ok(column.map(|values| values.as_primitive::<Int32Type>().clone()))
}
